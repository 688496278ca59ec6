"""EIO from the disk: writes that fail, and syncs that fail, of which nobody knows what is there.

What a failed sync was to bring to the disk may be lost though it can still be read, and though a
later sync succeeds: power_loss.py takes it away as well.
"""

import time
from random import Random

from benchmarks.faults.shim import ALL, Shim
from benchmarks.faults.trial import Trial

_FAILING = ("failing_writes", "failing_syncs")


def fail(trial: Trial) -> None:
    """Fail for a moment or a second, and work again, `trial.rounds` times."""
    chance = Random(2)  # noqa: S311  # no secrets
    server = trial.server()
    shim = Shim(trial.folder, server.database)
    server.settings |= shim.settings
    server.start()
    with trial.asking(server):
        for number in range(trial.rounds):
            failed, kind = shim.get("failed"), _FAILING[number % 2]
            time.sleep(chance.uniform(0.1, 0.5))
            is_brief = number % 4 < 2
            shim.set(kind, chance.randint(1, 3) if is_brief else ALL)
            time.sleep(0.2 if is_brief else 1.0)
            trial.check_readiness(server)
            if not is_brief:
                trial.require(not server.is_ready(), f"it says ready with {kind}")
            trial.require(shim.get("failed") > failed, f"no call failed of {kind}")
            shim.set(kind, 0)
            trial.time_recovery(server)
    trial.require(trial.ledger.refused[503] > 0, "nothing was ever refused")
    trial.check_retries(server)
    trial.stop(server)
