"""1,200 connections that say nothing, beside those that ask.

The recovery is the wait of a new client.
"""

from benchmarks.faults.crowd import idle
from benchmarks.faults.trial import Trial

_COUNT = 1_200


def crowd_in(trial: Trial) -> None:
    """Connect and ask anew, `trial.rounds` times."""
    server = trial.server()
    server.start()
    with trial.asking(server, count=4):
        for _ in range(trial.rounds):
            with idle(server, _COUNT):
                trial.time_recovery(server)
                trial.check_readiness(server)
    trial.stop(server)
