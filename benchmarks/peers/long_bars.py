"""The bars that take many minutes: memory over a million requests, and a table of 5 million."""

import re
import subprocess
import sys

from benchmarks.peers import steady
from benchmarks.peers.bars import Bar
from benchmarks.peers.contenders import OURS
from benchmarks.peers.plan import Plan
from benchmarks.peers.rounds import started
from benchmarks.running import ROOT

_BEGUN, _MILLION = 10_000, 1_000_000
_MOST_GROWTH, _MOST_MB = 0.05, 160.0
_ROWS, _LEAST_OF_RAW, _MOST_SCORE_MB = 5_000_000, 0.85, 600.0


def million(plan: Plan) -> Bar:
    """Ask a million times, and compare the memory with that after the first ten thousand."""
    body = OURS.formats[0].write(plan.rows[:1])
    with started(plan, OURS) as ours:
        steady.requests(ours, body, plan.scratch, _BEGUN)
        begun = ours.processes.resident_mb()
        steady.requests(ours, body, plan.scratch, _MILLION - _BEGUN)
        ended = ours.processes.resident_mb()
    return Bar(
        f"memory after {_MILLION:,} requests: at most {_MOST_GROWTH:.0%} more than after "
        f"{_BEGUN:,}, and {_MOST_MB:.0f} MB",
        f"{ended:.0f} MB, {begun:.0f} MB before",
        ended <= (1 + _MOST_GROWTH) * begun and ended <= _MOST_MB,
    )


def score() -> Bar:
    """Score a Parquet file of five million rows beside onnxruntime alone."""
    command = [sys.executable, "-m", "benchmarks.score", "--rows", str(_ROWS), "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    (line,) = re.findall(r"^\| score \|(.*)\|$", done.stdout, re.MULTILINE)
    ratio = float(line.split("|")[4])
    (memory_mb,) = map(float, re.findall(r"^score: (\d+) MB", done.stdout, re.MULTILINE))
    return Bar(
        f"`score` of {_ROWS:,} rows of Parquet: at least {_LEAST_OF_RAW} of onnxruntime alone, "
        f"in at most {_MOST_SCORE_MB:.0f} MB",
        f"{ratio:.2f} by the clock, {memory_mb:.0f} MB",
        ratio >= _LEAST_OF_RAW and memory_mb <= _MOST_SCORE_MB,
    )
