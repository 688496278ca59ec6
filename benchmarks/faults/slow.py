"""200 clients that send or read a byte now and then, beside those that ask; and a stop under them.

The recovery is the wait of a new client while they are there.
"""

from functools import partial

from benchmarks.faults.crowd import dropped, slow
from benchmarks.faults.server import Server, wait_for
from benchmarks.faults.trial import Trial

_COUNT = 200


def dawdle(trial: Trial) -> None:
    """Let them come, ask beside them, and see them dropped, `trial.rounds` times."""
    server = trial.server(SEXTANT_SLOW_CLIENT_S="2", SEXTANT_IDLE_TIMEOUT_S="4")
    server.start()
    with trial.asking(server, count=4):
        for _ in range(trial.rounds):
            before = dropped(server)
            with slow(server, _COUNT):
                trial.time_recovery(server)
                are_gone = wait_for(partial(_have_gone, server, before), pause_s=0.5)
                trial.require(are_gone, f"{dropped(server) - before} of {_COUNT} are dropped")
    with slow(server, _COUNT):
        trial.stop(server)


def _have_gone(server: Server, before: int) -> bool:
    return dropped(server) - before >= _COUNT
