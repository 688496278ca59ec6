"""Labels are given to a log and judged, and what that takes is told."""

import re
import subprocess
import sys

import pytest

from benchmarks.big_log import SEED_ROWS, make_log
from benchmarks.running import ROOT


@pytest.mark.slow
def test_labels_are_timed(tmp_path):
    make_log(tmp_path / "predictions.duckdb", SEED_ROWS)

    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.labels", "--labels", "20"),
            *("--database", str(tmp_path / "predictions.duckdb")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    assert re.search(r"\| POST /labels, 10,000 at once \| \d+ \| \d+ \|", done.stdout)
    assert re.search(r"\| accuracy, all \| \d+ \| \d+ \|", done.stdout)
    assert done.stderr == ""
