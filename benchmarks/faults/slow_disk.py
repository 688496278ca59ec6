"""A disk whose every sync takes long: what is answered late is stored, what is refused may retry.

The first half of the rounds is slow and in time, the other slower than the server waits for a
commit: then it answers 503, and what it says of itself is what happens.
"""

import time

from benchmarks.faults.shim import Shim
from benchmarks.faults.trial import Trial

COMMIT_TIMEOUT_S = 0.5
_SLOW_US = (50_000, 1_500_000)
_LASTS_S = 2.0


def slow_down(trial: Trial) -> None:
    """Slow the disk down and let it recover, `trial.rounds` times."""
    server = trial.server(SEXTANT_COMMIT_TIMEOUT_S=str(COMMIT_TIMEOUT_S))
    shim = Shim(trial.folder, server.database)
    server.settings |= shim.settings
    server.start()
    with trial.asking(server, sizes=(1, 1, 20)):
        for number in range(trial.rounds):
            shim.set("sync_delay_us", _SLOW_US[number % len(_SLOW_US)])
            time.sleep(_LASTS_S)
            trial.check_readiness(server)
            shim.set("sync_delay_us", 0)
            trial.time_recovery(server)
    trial.require(trial.ledger.refused[503] > 0 or trial.rounds < 2, "nothing was ever refused")
    trial.check_retries(server)
    trial.stop(server)
