"""Throw made-up input at all that reads some: ``python -m tests.fuzz.campaign --runs 10000``.

Each target runs in a process of its own, two at a time, and what was counted is printed. A finding
ends its target: the input stays in a file that is named, and the exit code is 1.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# The share of the runs that each target gets, by what one of them costs.
SHARES = {
    "json_bodies": 0.25,
    "text_tables": 0.2,
    "tensors": 0.25,
    "contracts": 0.2,
    "statements": 0.08,
    "parquet_bodies": 0.02,
}
ROOT = Path(__file__).parents[2]


def main():
    """Run it all; return 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000, help="inputs, over all targets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sextant-fuzz-"))
    with ThreadPoolExecutor(asked.jobs) as pool:
        done = list(pool.map(lambda name: run(name, asked, folder), SHARES))
    print("| target | inputs | taken | refused | CPU s | peak MB |\n|---|---|---|---|---|---|")
    totals = [sum(each[key] for each in done) for key in ("taken", "refused")]
    for name, told in zip(SHARES, done, strict=True):
        n = told["taken"] + told["refused"]
        cells = (n, told["taken"], told["refused"], round(told["cpu_s"]), told["peak_mb"])
        print(f"| {name} | {' | '.join(f'{cell:,}' for cell in cells)} |")
    print(f"{sum(totals):,} inputs: {totals[0]:,} taken, {totals[1]:,} refused as they should be")
    return any(told["found"] for told in done)


def run(name, asked, folder):
    """Run one target and return what was counted."""
    runs = max(1, round(asked.runs * SHARES[name]))
    command = [sys.executable, "-m", "tests.fuzz.target", name, "--folder", str(folder)]
    command += ["--runs", str(runs), "--seed", str(asked.seed)]
    # A target that hangs is killed, and this program with its error: 0.5 s is long for an input.
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60 + runs / 2
    )
    told = json.loads((folder / name / "counts.json").read_text())
    whole = told["taken"] + told["refused"] == runs
    if ended.returncode != 0 or not whole:
        found = [str(path) for path in (folder / name).glob("found-*")]
        print(
            f"{name}: {found or 'ended early'}\n{_told(ended.stdout + ended.stderr)}",
            file=sys.stderr,
        )
    return {**told, "found": ended.returncode != 0 or not whole}


def _told(output):
    """Return what Python said of a finding, without what the fuzzer says of itself."""
    told = output.partition("Uncaught Python exception")[2] or output
    return told.partition("== ERROR: libFuzzer")[0][-5_000:]


if __name__ == "__main__":
    sys.exit(main())
