"""320 clients at once, of whom none waits as long as it is told.

The recovery is the time from their last answer until a prediction is stored, and readiness says so.
"""

import time

from benchmarks.faults.trial import Trial

_COUNT = 320
_ROUND_S = 3.0
# A second after the last refusal there is nothing that would be refused.
_READY_WITHIN_S = 2.0


def ask_too_much(trial: Trial) -> None:
    """Ask for more than there is for `trial.rounds` rounds on end, and then for one."""
    server = trial.server()
    server.start()
    with trial.asking(server, count=_COUNT, sizes=[1]):
        time.sleep(trial.rounds * _ROUND_S)
    began = time.monotonic()
    while not server.is_ready() and time.monotonic() - began < 2 * _READY_WITHIN_S:
        time.sleep(0.02)
    took = time.monotonic() - began
    trial.require(took < _READY_WITHIN_S, f"ready again only after {took:.1f} s")
    trial.time_recovery(server, since=began)
    trial.stop(server)
