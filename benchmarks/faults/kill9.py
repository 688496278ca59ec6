"""kill -9 at moments of chance, every third time in the middle of a checkpoint.

Clients go on asking while the server is gone, and send what has a key until it is answered.
"""

import time
from random import Random

from benchmarks.faults.server import Server, wait_for
from benchmarks.faults.trial import Trial

# Rows of a request that fills the write-ahead log up to the next checkpoint.
_FILLING_ROWS = 5_000
_CHECKPOINT_TIMEOUT_S = 20.0


def kill(trial: Trial) -> None:
    """Kill and start again, `trial.rounds` times."""
    chance = Random(0)  # noqa: S311  # no secrets
    server = trial.server()
    server.start()
    with trial.asking(server, may_break=True):
        for number in range(trial.rounds):
            if number % 3 == 2:
                fill_until_checkpoint(trial, server)
            else:
                time.sleep(chance.uniform(0.05, 0.6))
                server.kill()
            began = time.monotonic()
            server.start()
            trial.time_recovery(server, since=began)
    trial.check_retries(server)
    trial.stop(server)


def fill_until_checkpoint(trial: Trial, server: Server) -> None:
    """Kill as soon as the log is folded into the database: a second log stands beside it."""
    aside = server.wal.with_name(f"{server.wal.name}.checkpoint")
    with trial.asking(server, may_break=True, count=2, sizes=[_FILLING_ROWS]):
        wait_for(aside.exists, timeout_s=_CHECKPOINT_TIMEOUT_S, pause_s=0.0005)
        server.kill()
