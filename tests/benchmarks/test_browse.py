"""The views whose time is taken are views of any log, and what is sent meanwhile is answered."""

import re
import subprocess
import sys

import pytest

from benchmarks.browse import pages
from benchmarks.running import ROOT

CONTRACT = {
    "features": [
        {"name": "kind", "range": None},
        {"name": "u", "range": [10.0, 20.0]},
    ],
    "class_names": ["no", "yes"],
}


def test_views_are_of_what_the_contract_names():
    found = pages(CONTRACT)

    assert "/predictions?in.u=17..19" in found
    assert "/predictions?p.yes=0.2..0.8&sort=-p.yes" in found
    assert all(re.match(r"/predictions(\?|$)", path) for path in found)


def test_a_regression_has_no_views_of_labels():
    found = pages({**CONTRACT, "class_names": []})

    assert not [path for path in found if "label" in path or "p." in path or "p=" in path]


@pytest.mark.slow
def test_the_pages_of_a_log_are_timed_while_it_is_written(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.browse", "--rounds", "1", "--rate", "20"),
            *("--files", "--database", str(tmp_path / "log.duckdb")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    assert "| `/predictions?view=pictures` |" in done.stdout
    assert re.search(r"/predictions.parquet: 200, \d+ MB in \d+ s, peak", done.stdout)
    assert re.search(r"meanwhile \d+ predictions: p50", done.stdout)
    assert done.stderr == ""
