"""Clients in a closed loop that remember what they sent and were told, through every end."""

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from random import Random

from benchmarks.answers import WrongAnswer
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.pool import SIZE, Pool
from benchmarks.faults.server import Server, ask

# Rows of a request: most ask for one, some for as many as are inserted as columns.
SIZES = (1, 1, 1, 1, 1, 1, 1, 20, 20, 600)
# Who asks for one object names it by a key as often as not; who sends more always does.
_KEYED_SHARE = 0.5
# Refusals that say: try again.
_REFUSALS = (409, 429, 503)
# A server that is not there, or refuses, is not asked again at once.
_PAUSE_S = 0.05


class Clients:
    """Threads that ask a server without a pause, whatever becomes of it, until they are stopped.

    A request with an Idempotency-Key is sent until it is answered; one without, once.

    Parameters
    ----------
    count : int
        How many ask at once.
    name : str
        What their requests' names begin with, and no other clients' of this ledger.
    sizes : sequence of int
        Rows of a request, one of which is chosen each time.
    may_break : bool
        Whether a connection may end without an answer: where a process is killed it does.
    every_s : float
        How often each asks, in seconds; 0 is without a pause.
    """

    def __init__(
        self,
        server: Server,
        ledger: Ledger,
        pool: Pool,
        *,
        count: int = 8,
        sizes: Sequence[int] = SIZES,
        may_break: bool = False,
        name: str = "client",
        every_s: float = 0.0,
    ) -> None:
        self._server = server
        self._ledger = ledger
        self._pool = pool
        self._sizes = sizes
        self._may_break = may_break
        self._every_s = every_s
        self._is_over = threading.Event()
        self._times: list[float] = []
        self._threads = [
            threading.Thread(target=self._run, args=(f"{name}.{number}",), daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def take_times(self) -> list[float]:
        """Return how long each answer took since this was asked last, in seconds."""
        times, self._times = self._times, []
        return times

    def stop(self) -> None:
        """Let each finish what it is asking now, and ask no more."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, name: str) -> None:
        chance = Random(name)  # noqa: S311  # no secrets
        connection = self._connect()
        count = 0
        due = time.monotonic() + self._every_s * chance.random()
        while not self._is_over.wait(max(0.0, due - time.monotonic()) if self._every_s else 0.0):
            # Whoever is late does not make up for it: a server that is slow is asked less.
            due = max(due, time.monotonic() - self._every_s) + self._every_s
            count += 1
            n_rows = chance.choice(self._sizes)
            numbers = [chance.randrange(SIZE) for _ in range(n_rows)]
            is_keyed = n_rows > 1 or chance.random() < _KEYED_SHARE
            while not self._send(connection, f"{name}-{count}", numbers, is_keyed=is_keyed):
                if not is_keyed or self._is_over.is_set():
                    break
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)

    def _send(
        self,
        connection: http.client.HTTPConnection,
        name: str,
        numbers: Sequence[int],
        *,
        is_keyed: bool,
    ) -> bool:
        """Ask once; return whether it was answered."""
        began = time.monotonic()
        try:
            status = send(connection, self._ledger, self._pool, name, numbers, is_keyed=is_keyed)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if not self._may_break:
                self._ledger.complain(f"{name}: no answer ({type(error).__name__}: {error})")
            time.sleep(_PAUSE_S)
            return False
        if status == 200:
            self._times.append(time.monotonic() - began)
        if status != 200:
            time.sleep(_PAUSE_S)
        return status == 200


def send(
    connection: http.client.HTTPConnection,
    ledger: Ledger,
    pool: Pool,
    name: str,
    numbers: Sequence[int],
    *,
    is_keyed: bool,
) -> int:
    """Ask once, note the answer and whatever is wrong with it; return the status.

    Raises
    ------
    OSError, http.client.HTTPException
        If the connection breaks.
    """
    rows = pool.rows(name, numbers)
    headers = {"Idempotency-Key": f'"{name}"'} if is_keyed else {}
    ledger.send(name, numbers, is_keyed=is_keyed)
    content = rows[0] if len(rows) == 1 else rows
    status, answer, response = ask(connection, "/predict", content, headers)
    if status == 200:
        try:
            # Of an hour's answers there are too many to keep whole.
            kept = ("prediction_id", *pool.outputs)
            predictions = answer.get("predictions", [answer])
            ledger.tell(name, [{each: said[each] for each in kept} for said in predictions])
            pool.check(rows, numbers, answer)
        except (WrongAnswer, KeyError, TypeError, ValueError) as error:
            ledger.find_wrong(f"{name}: {error}")
        return status
    ledger.refuse(status)
    if status not in _REFUSALS or not response.getheader("Retry-After"):
        ledger.complain(f"{name}: refused with {status}: {str(answer)[:200]}")
    return status


@contextlib.contextmanager
def asking(clients: Clients) -> Iterator[Clients]:
    """Have the clients ask until the block ends."""
    try:
        yield clients
    finally:
        clients.stop()
