"""What the explanation costs: the same model with it, without asking for it, and without it.

Run it as ``python -m benchmarks.explanation``, after ``make model``. The three take turns in one
process on one thread, so that what else the machine does falls on all of them alike.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd

ROUNDS = 60
# Rows a call, calls a round: a round lasts some ten milliseconds.
SIZES = {1: 400, 100: 8, 2000: 1}
ANSWER = ["label", "probabilities", "head"]


def main() -> None:
    """Export the model without its explanation, and measure both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/sdss.onnx"))
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    options = parser.parse_args()
    X = pd.read_parquet(options.artifacts / "holdout.parquet").drop(columns="class")
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        _export_plain(options.artifacts, plain)
        sessions = [_session(plain), _session(options.model)]
        print(f"file: {options.model.stat().st_size:,} bytes, without {plain.stat().st_size:,}\n")
    print("| rows a call | without us | not asked us | asked us | not asked | asked | rows/s |")
    print("|---|---|---|---|---|---|---|")
    for rows, calls in SIZES.items():
        feeds = {str(name): X[[name]].to_numpy(dtype=np.float32)[:rows] for name in X}
        print(_measure(sessions, feeds, rows, calls))


def _export_plain(artifacts: Path, path: Path) -> None:
    files = [str(artifacts / name) for name in ("pipeline.skops", "holdout.parquet")]
    options = ["--target", "class", "--plain", "--features", str(artifacts / "features.json")]
    command = [sys.executable, "-m", "export", *files, *options, "-o", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _measure(
    sessions: list[onnxruntime.InferenceSession], feeds: dict[str, Any], rows: int, calls: int
) -> str:
    """Return a line of the table: times a call, ratios to the model without, rows a second."""
    plain, full = sessions
    everything = [output.name for output in full.get_outputs()]
    unasked = feeds | {"explain": np.array(False)}
    contenders: list[Callable[[], Any]] = [
        lambda: plain.run(ANSWER, feeds),
        lambda: full.run(ANSWER, unasked),
        lambda: full.run(everything, feeds),
    ]
    times: list[list[float]] = [[] for _ in contenders]
    for number in range(ROUNDS):
        # Another goes first each time: who follows whom has an effect of its own.
        for turn in range(len(contenders)):
            chosen = (number + turn) % len(contenders)
            started = time.perf_counter()
            for _ in range(calls):
                contenders[chosen]()
            times[chosen].append((time.perf_counter() - started) / calls * 1e6)
    without, no, yes = (median(each) for each in times)
    # The ratio in each round, for its three runs met the same machine.
    ratios = [median(np.divide(each, times[0]).tolist()) for each in times[1:]]
    return (
        f"| {rows:,} | {without:,.1f} | {no:,.1f} | {yes:,.1f} | {ratios[0]:.2f} | "
        f"{ratios[1]:.2f} | {rows / yes * 1e6:,.0f} |"
    )


if __name__ == "__main__":
    main()
