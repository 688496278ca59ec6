"""Two servers on one log: the second is refused while the first answers, and one alone can win."""

import time

from benchmarks.faults.server import wait_for
from benchmarks.faults.trial import Trial


def start_both(trial: Trial) -> None:
    """Start a second one, then kill the first and start both at once, `trial.rounds` times."""
    first, second = trial.server(), trial.server()
    first.start()
    with trial.asking(first, may_break=True):
        for _ in range(trial.rounds):
            words = second.refuses()
            trial.require(f"PID {first.pid}" in words, f"the first is not named: {words[-300:]}")
            trial.check_readiness(first)
            first.kill()
            began = time.monotonic()
            first.start(is_awaited=False)
            second.start(is_awaited=False)
            is_settled = wait_for(lambda: first.is_ended() != second.is_ended())
            trial.require(is_settled, "both run on one log, or neither")
            if first.is_ended():
                second.kill()
                first.start()
            first.wait_until_ready()
            trial.time_recovery(first, since=began)
    trial.check_retries(first)
    trial.stop(first)
