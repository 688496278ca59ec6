"""Memory, or file descriptors, that run out while the server runs, and are there again."""

import resource
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from benchmarks.faults.server import Server
from benchmarks.faults.trial import Trial

_LASTS_S = 1.5
_MOST_ROOM = 8 << 20
# Lists take memory, and a checkpoint opens a file.
_SIZES = (1, 1, 1, 20, 600, 5_000)


def spend_memory(trial: Trial) -> None:
    """Leave little address space and give it back, `trial.rounds` times."""
    _spend(trial, resource.RLIMIT_AS, lambda server, chance: _memory(server) + chance())


def spend_descriptors(trial: Trial) -> None:
    """Leave no file descriptor and give them back, `trial.rounds` times."""
    _spend(trial, resource.RLIMIT_NOFILE, lambda server, _: _descriptors(server))


def _spend(trial: Trial, what: int, limit: Callable[[Server, Callable[[], int]], int]) -> None:
    chance = Random(5)  # noqa: S311  # no secrets
    server = trial.server()
    server.start()
    with trial.asking(server, may_break=True, sizes=_SIZES):
        time.sleep(0.5)
        for _ in range(trial.rounds):
            if server.is_ended():
                trial.require(False, f"the server has ended: {server.words()[-2_000:]}")
                return
            soft, hard = resource.prlimit(server.pid, what)
            leaving = limit(server, lambda: chance.randrange(_MOST_ROOM))
            resource.prlimit(server.pid, what, (leaving, hard))
            time.sleep(_LASTS_S)
            resource.prlimit(server.pid, what, (soft, hard))
            trial.time_recovery(server)
            trial.check_readiness(server)
    trial.check_retries(server)
    trial.stop(server)


def _memory(server: Server) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmSize:"))
    return int(line.split()[1]) << 10


def _descriptors(server: Server) -> int:
    """Return the least limit that leaves none: one above the largest that is open."""
    return 1 + max(int(each.name) for each in Path(f"/proc/{server.pid}/fd").iterdir())
