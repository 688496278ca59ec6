"""SIGTERM under load: what was taken in is answered and kept, and the server ends in time."""

import time
from random import Random

from benchmarks.faults.trial import Trial

# What the server promises is five; folding the log into its file comes on top.
_END_WITHIN_S = 10.0


def terminate(trial: Trial) -> None:
    """Stop in order under load and start again, `trial.rounds` times."""
    chance = Random(1)  # noqa: S311  # no secrets
    server = trial.server()
    server.start()
    with trial.asking(server, may_break=True, count=16):
        for _ in range(trial.rounds):
            time.sleep(chance.uniform(0.05, 0.6))
            began = time.monotonic()
            trial.stop(server)
            took = time.monotonic() - began
            trial.require(took < _END_WITHIN_S, f"an orderly stop took {took:.1f} s")
            trial.require(not server.wal.exists(), "a write-ahead log is left behind")
            began = time.monotonic()
            server.start()
            trial.time_recovery(server, since=began)
    trial.check_retries(server)
    trial.stop(server)
