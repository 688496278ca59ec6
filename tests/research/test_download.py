"""A download ends with the whole table or with a reason, and goes on where it stopped."""

import hashlib
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from urllib3.util import Retry

from research import download
from research.data import read_survey
from research.pages import Order
from research.skyserver import InvalidAnswer
from tests.research.conftest import SkyServer

QUICK = Retry(total=2, backoff_factor=0, status_forcelist=(429, 500, 503))


@pytest.fixture
def order(skyserver: SkyServer, tmp_path: Path) -> Order:
    out = tmp_path / "sky.parquet"
    return Order(skyserver.url, 250, out, page_rows=100, pause_s=0, retry=QUICK)


def run(order: Order) -> dict[str, Any]:
    return download.download(order, Console(file=io.StringIO()))


def test_a_download_has_the_rows_in_the_order_of_their_spectra(
    skyserver: SkyServer, order: Order
) -> None:
    run(order)

    table = pd.read_parquet(order.out)
    assert len(table) == 250
    assert table["specobjid"].is_monotonic_increasing
    merged = table.merge(skyserver.sky, on="specobjid", suffixes=("", "_there"))
    assert (merged["u"] == merged["u_there"]).all()


def test_a_download_can_be_read_by_what_trains(order: Order) -> None:
    run(order)

    assert len(read_survey(order.out)) == 250


def test_pages_follow_each_other_by_the_last_spectrum(skyserver: SkyServer, order: Order) -> None:
    run(order)

    tops = [re.findall(r"TOP (\d+).*specobjid > (\d+)", query) for query in skyserver.queries[1:]]
    ids = pd.read_parquet(order.out)["specobjid"]
    assert tops == [[("100", "0")], [("100", str(ids[99]))], [("50", str(ids[199]))]]


def test_a_table_smaller_than_the_survey_takes_a_share_of_every_plate(
    skyserver: SkyServer, order: Order
) -> None:
    run(replace(order, rows=30))

    assert "% 10000 < 1731" in skyserver.queries[1]


def test_what_was_asked_stands_beside_the_table(order: Order) -> None:
    run(order)

    about = json.loads(order.out.with_name("sky.parquet.json").read_text())
    assert about["sha256"] == hashlib.sha256(order.out.read_bytes()).hexdigest()
    assert about["query"].startswith("SELECT TOP 250 CAST(p.objid")
    assert (about["rows_asked"], about["rows"], about["pages"]) == (250, 250, 3)


def test_fewer_rows_than_asked_for_are_all_there_are(order: Order) -> None:
    about = run(replace(order, rows=1000))

    assert about["rows"] == 300


@pytest.mark.parametrize(
    "fault",
    ["busy", "too many", "failing", "error page", "cut", "cut short of its length", "fewer rows"],
)
def test_a_fault_that_passes_costs_no_row(skyserver: SkyServer, order: Order, fault: str) -> None:
    skyserver.faults = [fault, "", fault] if fault != "fewer rows" else ["", fault]

    run(order)

    assert pd.read_parquet(order.out)["specobjid"].nunique() == 250


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("busy", "gave no whole answer, last status 503: wait"),
        ("error page", "no whole JSON: <html>"),
        ("error message", "Invalid column name 'q'"),
        ("bad request", "answers 400: .*Invalid column name 'q'"),
        ("not found", "answers 404"),
        ("cut", "no whole JSON"),
        ("no table", "answers no table"),
        ("another column", "asked for columns objid, ra, .*got .*zed"),
        ("disorder", "not in the order of specobjid"),
        ("too much", "asked for 100 rows, got 200"),
        ("broken id", "an identifier is no whole number"),
    ],
)
def test_a_fault_that_lasts_is_told_and_no_table_is_written(
    skyserver: SkyServer, order: Order, fault: str, said: str
) -> None:
    skyserver.faults = ["", fault, fault, fault]

    with pytest.raises(InvalidAnswer, match=said):
        run(order)

    assert not order.out.exists()


def test_a_download_that_broke_goes_on_with_the_page_it_lacks(
    skyserver: SkyServer, order: Order
) -> None:
    skyserver.faults = ["", "", "bad request"]
    with pytest.raises(InvalidAnswer):
        run(order)
    skyserver.queries.clear()

    run(order)

    assert len(skyserver.queries) == 2
    assert pd.read_parquet(order.out)["specobjid"].nunique() == 250
    assert not order.parts.exists()


def test_pages_of_another_download_are_not_mixed_in(skyserver: SkyServer, order: Order) -> None:
    skyserver.faults = ["", "", "bad request"]
    with pytest.raises(InvalidAnswer):
        run(order)

    with pytest.raises(InvalidAnswer, match="holds pages of another download, 250 rows"):
        run(replace(order, rows=200))


def test_a_service_that_is_not_there_is_told(order: Order) -> None:
    with pytest.raises(InvalidAnswer, match="gave no whole answer"):
        run(replace(order, url="http://127.0.0.1:9/SqlSearch"))


def test_the_command_downloads_checks_and_shows(
    skyserver: SkyServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "deep" / "sky.parquet"
    arguments = ["--rows", "40", "--url", skyserver.url, "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["download", *arguments])

    download.main()

    assert "rows kept" in capsys.readouterr().out
    assert json.loads((out.parent / "sky.summary.json").read_text())["rows_kept"] == 40
