"""Score a large Parquet file with the command, beside onnxruntime alone on the same rows.

Run it as ``python -m benchmarks.score --rows 5000000``. The rows are made up; onnxruntime has them
in memory already, gives the same outputs, and uses every core in the better of two ways. Both take
turns, and their wall and CPU times are compared.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import duckdb
import numpy as np
import onnxruntime

from benchmarks.running import ROOT, SEXTANT

MODEL = ROOT / "models" / "sdss.onnx"
ROUNDS = 3
CORES = len(os.sched_getaffinity(0))
# Rows in one run of a session; larger ones were no faster.
RUN_ROWS = 5_000
_AT_LENGTH = ("contributions", "base_values", "derived")
# Brightness in five bands, fainter ones in no order that matters, and a redshift that some lack.
_ROWS = """
COPY (SELECT range AS id, 17 + 2 * random() AS u, 16.5 + random() AS g, 16 + random() AS r,
             15.8 + random() AS i, 15.5 + random() AS z,
             CASE WHEN random() < 0.9 THEN random() END AS redshift
      FROM range({rows})) TO '{path}' (FORMAT parquet)
"""


class Took(NamedTuple):
    """Seconds of one run, by the clock and of all cores."""

    wall_s: float
    cpu_s: float


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, to = Path(folder) / "in.parquet", Path(folder) / "out.parquet"
        duckdb.execute("SELECT setseed(0.5)")
        duckdb.execute(_ROWS.format(rows=options.rows, path=source))
        columns = _columns(source)
        took: dict[str, list[Took]] = {}
        memory_mb: list[float] = []
        for _ in range(options.rounds):
            for name, run in (
                (f"onnxruntime, {CORES} callers of one core", lambda: _callers(columns)),
                (f"onnxruntime, a session of {CORES} cores", lambda: _session_of_all(columns)),
                ("score", lambda: memory_mb.append(_score(source, to))),
            ):
                took.setdefault(name, []).append(_timed(run))
                wall_s, cpu_s = took[name][-1]
                print(f"{name}: {wall_s:.1f} s, {cpu_s:.1f} s of CPU", file=sys.stderr, flush=True)
        _print(took, options.rows)
        size_mb = to.stat().st_size / 1e6
    print(f"\nscore: {max(memory_mb):.0f} MB of memory at most, {size_mb:.0f} MB written")


def _print(took: dict[str, list[Took]], rows: int) -> None:
    *raw, score = took
    best = {
        kind: min(median(getattr(each, kind) for each in took[name]) for name in raw)
        for kind in Took._fields
    }
    print(f"{rows:,} rows, {CORES} cores, medians of {len(took[score])} rounds\n")
    print("| | rows/s | wall s | spread | CPU us a row | rows/s of the better raw | CPU of it |")
    print("|---|---|---|---|---|---|---|")
    for name, runs in took.items():
        wall, cpu = (median(getattr(each, kind) for each in runs) for kind in Took._fields)
        walls = sorted(each.wall_s for each in runs)
        print(
            f"| {name} | {rows / wall:,.0f} | {wall:.1f} | {walls[0]:.1f} to {walls[-1]:.1f} "
            f"| {cpu / rows * 1e6:.1f} | {best['wall_s'] / wall:.2f} | {best['cpu_s'] / cpu:.2f} |"
        )


def _timed(run: Callable[[], None]) -> Took:
    began, cpu = time.perf_counter(), _cpu_s()
    run()
    return Took(time.perf_counter() - began, _cpu_s() - cpu)


def _cpu_s() -> float:
    usages = (resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _score(source: Path, to: Path) -> float:
    """Run the command, and return the most memory it had, in MB."""
    command = [*SEXTANT, "score", str(source), str(to)]
    highest_kb = 0
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        # Not what the system says of children: that begins with the memory of this process.
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text()
            for highest in re.findall(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE):
                highest_kb = max(highest_kb, int(highest))
            time.sleep(0.05)
        if process.returncode:
            assert process.stderr is not None  # noqa: S101  # it is a pipe
            raise SystemExit(f"score failed: {process.stderr.read()}")
    return highest_kb * 1024 / 1e6


def _columns(source: Path) -> dict[str, Any]:
    found = duckdb.execute(f"SELECT * EXCLUDE id FROM read_parquet('{source}')").fetchnumpy()  # noqa: S608  # our own path
    return {
        name: np.ma.filled(np.ma.asarray(column).astype(np.float32), np.nan).reshape(-1, 1)
        for name, column in found.items()
    }


def _session(cores: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])


def _run(session: Any, columns: dict[str, Any], first: int, rows: int) -> None:
    names = [o.name for o in session.get_outputs() if not o.name.endswith(_AT_LENGTH)]
    feeds = {name: column[first : first + rows] for name, column in columns.items()}
    session.run(names, feeds)


def _callers(columns: dict[str, Any]) -> None:
    session, rows = _session(1), len(next(iter(columns.values())))
    with ThreadPoolExecutor(CORES) as threads:
        for _ in threads.map(
            lambda first: _run(session, columns, first, RUN_ROWS), range(0, rows, RUN_ROWS)
        ):
            pass


def _session_of_all(columns: dict[str, Any]) -> None:
    session, rows = _session(CORES), len(next(iter(columns.values())))
    for first in range(0, rows, RUN_ROWS * CORES):
        _run(session, columns, first, RUN_ROWS * CORES)


if __name__ == "__main__":
    main()
