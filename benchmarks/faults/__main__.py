"""Try faults and print what each came to: ``python -m benchmarks.faults [NAME ...] [--short]``."""

import argparse
import platform
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.faults import (
    clock,
    damaged,
    disk_full,
    idle,
    io_error,
    kill9,
    malformed,
    model_swapped,
    overload,
    power_loss,
    sigterm,
    slow,
    slow_disk,
    spent,
    stand_still,
    two_servers,
)
from benchmarks.faults.outcome import HEAD, Outcome
from benchmarks.faults.trial import NotTried, Trial
from benchmarks.running import NotStarted, commit


class Fault(NamedTuple):
    """A fault, the rounds of a short run and of a long one; what a round is, its file says."""

    run: Callable[[Trial], None]
    short: int
    long: int


FAULTS = {
    "kill9": Fault(kill9.kill, short=2, long=200),
    "io_error": Fault(io_error.fail, short=2, long=100),
    "slow_disk": Fault(slow_disk.slow_down, short=2, long=20),
    "power_loss": Fault(power_loss.lose_power, short=10, long=2_000),
    "clock": Fault(clock.step_back, short=2, long=50),
    "damaged": Fault(damaged.damage, short=2, long=100),
    "disk_full": Fault(disk_full.fill, short=2, long=24),
    "memory": Fault(spent.spend_memory, short=1, long=30),
    "descriptors": Fault(spent.spend_descriptors, short=1, long=30),
    "two_servers": Fault(two_servers.start_both, short=1, long=20),
    "model_swapped": Fault(model_swapped.swap, short=1, long=20),
    "sigterm": Fault(sigterm.terminate, short=1, long=50),
    "stand_still": Fault(stand_still.stand_still, short=1, long=50),
    "idle": Fault(idle.crowd_in, short=1, long=20),
    "slow": Fault(slow.dawdle, short=1, long=20),
    "overload": Fault(overload.ask_too_much, short=1, long=20),
    "malformed": Fault(malformed.send_malformed, short=2, long=50),
}


def main() -> int:
    """Try the faults that are named, or all; return 0 if the rule was kept in each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="NAME", help=f"of {', '.join(FAULTS)}; all")
    parser.add_argument("--short", action="store_true", help="a few rounds of each")
    parser.add_argument("--rounds", type=int, help="rounds of each")
    options = parser.parse_args()
    if unknown := set(options.faults) - FAULTS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    # Whoever ends this program ends its servers with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"{_where_and_when()}\n\n{HEAD}", flush=True)
    broken = []
    for name in options.faults or FAULTS:
        fault = FAULTS[name]
        rounds = options.rounds or (fault.short if options.short else fault.long)
        try:
            outcome = try_fault(name, fault.run, rounds)
        except NotTried as error:
            print(f"| {name} | not tried: {error} |", flush=True)
            continue
        print(outcome, flush=True)
        if not outcome.is_kept:
            broken.append(outcome)
    for outcome in broken:
        print(f"\n{outcome.fault}:", *(outcome.complaints or ["nothing was stored"]), sep="\n  ")
    return 1 if broken else 0


def try_fault(name: str, run: Callable[[Trial], None], rounds: int) -> Outcome:
    """Try one fault in a folder of its own, and leave no server behind.

    Raises
    ------
    NotTried
        If this machine cannot make it.
    """
    with tempfile.TemporaryDirectory(prefix="sextant-fault-") as folder:
        trial = Trial(name, rounds, Path(folder))
        try:
            run(trial)
        except NotStarted as error:
            trial.ledger.complain(f"a server does not start: {error}")
        finally:
            trial.end_servers()
        return trial.outcome()


def _where_and_when() -> str:
    today = datetime.now(UTC).date()
    return (
        f"{today}, commit {commit()}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.release()} on {platform.machine()}"
    )


if __name__ == "__main__":
    sys.exit(main())
