"""SIGSTOP and SIGCONT under load: a server that stood still goes on where it was."""

import signal
import time
from random import Random

from benchmarks.faults.trial import Trial


def stand_still(trial: Trial) -> None:
    """Stop and go on, `trial.rounds` times."""
    chance = Random(2)  # noqa: S311  # no secrets
    server = trial.server()
    server.start()
    with trial.asking(server, count=16):
        for _ in range(trial.rounds):
            time.sleep(chance.uniform(0.05, 0.6))
            assert server.process is not None  # noqa: S101  # it was started
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(chance.uniform(0.1, 4.0))
            server.process.send_signal(signal.SIGCONT)
            trial.time_recovery(server)
    trial.check_retries(server)
    trial.stop(server)
