"""One fault tried: its servers, its clients, and what is held against them."""

import contextlib
import http.client
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.faults.audit import Audit, audit
from benchmarks.faults.clients import Clients, asking, send
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.outcome import Outcome
from benchmarks.faults.pool import Pool
from benchmarks.faults.server import MODEL, Server

# Whoever is still without an answer then is not served again without a restart.
_RECOVERY_TIMEOUT_S = 60.0
_PAUSE_S = 0.02


class NotTried(Exception):
    """This machine lacks what the fault is made with; the message says what."""


class Trial:
    """What a fault is given: rounds to do, a folder, a server, and a ledger to hold it to.

    Parameters
    ----------
    fault : str
        Its name in the table.
    """

    def __init__(self, fault: str, rounds: int, folder: Path) -> None:
        self.fault = fault
        self.rounds = rounds
        self.folder = folder
        self.ledger = Ledger()
        self.recovered_s: list[float] = []
        self._audits: list[Audit] = []
        self._servers: list[Server] = []
        self._pool: Pool | None = None
        self._names = itertools.count(1)

    def server(self, folder: Path | None = None, **settings: str) -> Server:
        """Return a server that is not started yet; the first one's log is audited."""
        self._servers.append(Server(folder or self.folder, settings))
        return self._servers[-1]

    def pool(self, server: Server) -> Pool:
        """Return the instances to ask for; the first time, a running server is asked for them."""
        if self._pool is None:
            _, contract = server.ask("/model")
            self._pool = Pool(contract, MODEL)
        return self._pool

    @contextlib.contextmanager
    def asking(self, server: Server, **options: Any) -> Iterator[Clients]:
        """Have clients ask the server until the block ends."""
        name = f"clients-{next(self._names)}"
        clients = Clients(server, self.ledger, self.pool(server), name=name, **options)
        with asking(clients):
            yield clients

    def post(
        self, server: Server, n_rows: int = 1, *, name: str = "", is_keyed: bool = True
    ) -> int:
        """Ask for a prediction on a connection of its own; return the status, 0 for none."""
        name = name or f"probe-{next(self._names)}"
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        numbers = [place % 100 for place in range(n_rows)]
        try:
            return send(
                connection, self.ledger, self.pool(server), name, numbers, is_keyed=is_keyed
            )
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def time_recovery(self, server: Server, since: float | None = None) -> None:
        """Note how long it takes until a prediction is stored again, and readiness says so.

        Parameters
        ----------
        since : float
            On the monotonic clock; unless given, now.
        """
        began = time.monotonic() if since is None else since
        name = f"recovery-{next(self._names)}"
        while self.post(server, name=name) != 200:
            if time.monotonic() - began > _RECOVERY_TIMEOUT_S:
                self.ledger.complain(f"not served again within {_RECOVERY_TIMEOUT_S:g} s")
                return
            time.sleep(_PAUSE_S)
        self.recovered_s.append(time.monotonic() - began)
        self.require(server.is_ready(), "a prediction is stored, and readiness denies it")

    def check_readiness(self, server: Server) -> None:
        """Compare what readiness says with what becomes of a prediction.

        The truth may change between two questions: it lies where it says one thing before and
        after, and the prediction in between another.
        """
        before, status, after = server.is_ready(), self.post(server), server.is_ready()
        if before == after:
            says = "ready" if before else "not ready"
            self.require(before == (status == 200), f"it says {says}, and answers {status}")

    def check_retries(self, server: Server, count: int = 20) -> None:
        """Send the newest answered requests that have a key once more: each gets its answer."""
        keyed = [name for name in self.ledger.told if name in self.ledger.keyed]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        with contextlib.closing(connection):
            for name in keyed[-count:]:
                numbers = self.ledger.sent[name]
                pool = self.pool(server)
                status = send(connection, self.ledger, pool, name, numbers, is_keyed=True)
                self.require(status == 200, f"{name} was answered, and once more is {status}")

    def require(self, is_right: bool, message: str) -> None:
        """Note what breaks the rule."""
        if not is_right:
            self.ledger.complain(message)

    def stop(self, server: Server) -> None:
        """Stop in order, which must work."""
        code = server.end()
        self.require(code == 0, f"the server ended with {code}: {server.words()[-500:]}")

    def end_servers(self) -> None:
        """End what still runs."""
        for server in self._servers:
            if server.process is not None and server.process.poll() is None:
                server.kill()

    def hold(self, database: Path, ledger: Ledger, where: str = "") -> None:
        """Hold a log that nobody has open to a ledger, and count what breaks the rule."""
        assert self._pool is not None, "nothing was asked"  # noqa: S101  # who writes a fault asks
        found = audit(database, ledger, self._pool)
        self._audits.append(found)
        for what in found.wrong:
            self.ledger.find_wrong(f"{where}{what}")
        for kind, row_ids in (("lost", found.lost), ("doubled", found.doubled)):
            for row_id in row_ids[:3]:
                self.ledger.complain(f"{where}{row_id} is {kind}")

    def outcome(self) -> Outcome:
        """Hold the first server's log, which is stopped, to the ledger, and sum up."""
        self.hold(self._servers[0].database, self.ledger)
        return Outcome(
            self.fault,
            self.rounds,
            self.ledger.requests,
            self.ledger.acknowledged,
            self._audits[-1].stored,
            sum(len(found.lost) for found in self._audits),
            sum(len(found.doubled) for found in self._audits),
            self.ledger.wrong,
            self.recovered_s,
            self.ledger.complaints,
        )
