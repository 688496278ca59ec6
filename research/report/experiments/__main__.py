"""Run the experiments and write results.json: ``python -m research.report.experiments --data``.

What stands in the file already, measured on the same table with the same budget, is kept, so a run
that was broken off goes on where it stopped. ``--again NAME`` measures one anew.
"""

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from research.data import InvalidTable
from research.provenance import git_commit, sha256_of
from research.report.experiments import EXPERIMENTS
from research.report.experiments.setting import SEED, Budget, Setting
from research.report.results import RESULTS, load, save, versions

console = Console()


def run(data: Path, out: Path, budget: Budget, again: tuple[str, ...] = ()) -> dict[str, Any]:
    """Run every experiment that `out` does not hold yet, writing it after each."""
    setting = Setting(data, budget)
    results, commit = _kept(out, setting), git_commit()
    for name, experiment in EXPERIMENTS.items():
        if name in results and name not in again:
            continue
        begin = time.process_time()
        results[name] = experiment(setting)
        seconds = round(time.process_time() - begin, 1)
        results["about"]["runs"][name] = {"cpu_s": seconds, "commit": commit}
        total = sum(each["cpu_s"] for each in results["about"]["runs"].values())
        results["about"]["cpu_minutes"] = round(total / 60, 1)
        save(results, out)
        console.print(f"{name}: {seconds} s")
    return results


def _kept(out: Path, setting: Setting) -> dict[str, Any]:
    about = {
        "data_sha256": sha256_of(setting.path),
        "data_rows": len(setting.y),
        "seed": SEED,
        "budget": asdict(setting.budget),
        "versions": versions(),
    }
    found = load(out) if out.exists() else {}
    told = found.get("about", {})
    same = all(told.get(key) == value for key, value in _as_json(about).items())
    return found if same else {"about": about | {"runs": {}, "cpu_minutes": 0.0}}


def _as_json(about: dict[str, Any]) -> dict[str, Any]:
    """Return what JSON makes of it: tuples become lists."""
    budget = {k: list(v) if isinstance(v, tuple) else v for k, v in about["budget"].items()}
    return about | {"budget": budget}


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the survey table")
    parser.add_argument("--out", type=Path, default=RESULTS, help="file to write")
    parser.add_argument(
        "--again", nargs="*", default=[], choices=list(EXPERIMENTS), help="measure these anew"
    )
    options = parser.parse_args()
    try:
        run(options.data, options.out, Budget(), tuple(options.again))
    except (InvalidTable, OSError) as error:
        raise SystemExit(f"research.report.experiments: {error}") from None
    console.print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
