"""A clock that steps back under load, by a second up to half a day, and starts that see it so."""

import time
from random import Random

from benchmarks.faults.shim import Shim
from benchmarks.faults.trial import Trial

_S = 10**9
_STEPS_S = (1, 60, 3_600, 43_200)


def step_back(trial: Trial) -> None:
    """Step back, and every other time start anew with the clock as it is, `trial.rounds` times."""
    chance = Random(4)  # noqa: S311  # no secrets
    server = trial.server()
    shim = Shim(trial.folder, server.database)
    server.settings |= shim.settings
    shim.set("clock_offset_ns", 86_400 * _S)
    server.start()
    with trial.asking(server, may_break=True):
        for number in range(trial.rounds):
            time.sleep(chance.uniform(0.2, 0.6))
            step = chance.choice(_STEPS_S) * _S
            # Not beyond a day in all, for so long is an answer kept.
            shim.set("clock_offset_ns", max(0, shim.get("clock_offset_ns") - step))
            began = time.monotonic()
            if number % 2:
                trial.stop(server)
                began = time.monotonic()
                server.start()
            trial.time_recovery(server, since=began)
            trial.check_retries(server, 5)
            trial.check_readiness(server)
    trial.check_retries(server)
    trial.stop(server)
