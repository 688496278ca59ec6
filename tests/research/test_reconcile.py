"""Two copies of a table are explained row by row: what is rounded, blank, different or gone."""

import csv
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from research.data import checked
from research.reconcile import reconcile, show_differences, write_differences
from research.simulate import simulate
from tests.conftest import SURVEY


@pytest.fixture
def table() -> pd.DataFrame:
    return simulate(200).drop(columns="synthetic").astype(str)


def explain(
    first: pd.DataFrame, second: pd.DataFrame, folder: Path
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    paths = folder / "first.csv", folder / "second.csv"
    first.to_csv(paths[0], index=False)
    second.to_csv(paths[1], index=False)
    with checked(paths[0]) as a, checked(paths[1]) as b:
        counts = reconcile(a.connection, b.connection)
        write_differences(a.connection, folder / "differences.csv")
    with (folder / "differences.csv").open() as file:
        return counts, list(csv.DictReader(file))


def test_a_copy_is_equal_in_every_cell_whatever_its_order(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    shuffled = table[::-1][list(table.columns[::-1])]

    counts, rows = explain(table, shuffled, tmp_path)

    assert counts["rows"] == {"equal in every cell": 200}
    assert rows[0]["row_second"] == "200"


def test_a_rounded_cell_is_told_from_a_different_one(table: pd.DataFrame, tmp_path: Path) -> None:
    other = table.assign(specobjid=[f"{float(each):.2e}" for each in table["specobjid"]])
    other.loc[4, "u"] = "18.5"

    counts, rows = explain(table, other, tmp_path)

    assert counts["cells"]["specobjid"] == {"rounded": 200}
    assert (rows[4]["rounded"], rows[4]["different"]) == ("specobjid", "u")


def test_a_blank_is_told_with_what_became_of_the_row(table: pd.DataFrame, tmp_path: Path) -> None:
    other = table.copy()
    other.loc[4, ["u", "g"]] = ""

    counts, rows = explain(table, other, tmp_path)

    assert rows[4]["blank in the second"] == "u g"
    assert (rows[4]["outcome_first"], rows[4]["outcome_second"]) == ("kept", "g u missing")
    assert counts["outcomes"] == {
        "kept in both": 199,
        "kept in the first, in the second g u missing": 1,
    }


def test_a_row_without_its_plate_is_matched_by_its_place(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    other = table.copy()
    other.loc[4, "plate"] = ""

    counts, rows = explain(table, other, tmp_path)

    assert rows[4]["matched_by"] == "ra to 5 decimals, and fiberid"
    assert counts["matched"]["plate, mjd and fiberid"] == 199


def test_a_row_that_only_one_copy_has_is_told(table: pd.DataFrame, tmp_path: Path) -> None:
    counts, rows = explain(table[1:], table[:-1], tmp_path)

    assert counts["rows"]["only in the first"] == 1
    assert counts["rows"]["only in the second"] == 1
    assert len(rows) == 200 + 1 - 1


def test_what_was_counted_is_shown(table: pd.DataFrame, tmp_path: Path) -> None:
    counts, _ = explain(table, table, tmp_path)
    console = Console(file=io.StringIO(), width=120)

    show_differences(counts, console, ("first.csv", "second.csv"))

    assert "equal in every cell" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.skipif(not SURVEY, reason="the figures are those of the real tables")
def test_every_row_of_the_copy_with_holes_is_explained() -> None:
    messy = Path(SURVEY or "").with_name("sdss_dr14_messy.csv")
    with checked(SURVEY or "") as first, checked(messy) as second:
        counts = reconcile(first.connection, second.connection)

    assert counts["matched"] == {
        "plate, mjd and fiberid": 9_990,
        "ra to 5 decimals, and fiberid": 10,
        "magnitudes": 0,
    }
    assert sum(counts["rows"].values()) == 10_000
    blank = [cells.get("blank in the second", 0) for cells in counts["cells"].values()]
    different = {n: c["different"] for n, c in counts["cells"].items() if "different" in c}
    assert sum(blank) == 519
    assert different == {"specobjid": 4}
