"""What is read is what can be trusted; the rest is named with its row, column, value and reason."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from research import data
from research.data import FEATURES, InvalidTable, checked, read_survey, split_columns
from tests.conftest import SURVEY, made_survey


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / "made.csv"
    made_survey(rows=40).to_csv(path, index=False)
    return path


def change(path: Path, column: str, value: object, row: int = 4) -> None:
    """Write a value into a row, counted from 1."""
    table = pd.read_csv(path, dtype=str)
    table.loc[row - 1, column] = str(value)
    table.to_csv(path, index=False)


def test_the_survey_is_read_with_its_features_plate_and_class_first(survey: pd.DataFrame) -> None:
    assert list(survey)[:8] == [*FEATURES, "plate", "class"]
    assert np.isfinite(survey[list(FEATURES)]).all(axis=None)


def test_ids_and_places_are_no_features() -> None:
    assert list(FEATURES) == ["u", "g", "r", "i", "z", "redshift"]


def test_features_are_cast_to_float32_before_anything_is_fitted(survey: pd.DataFrame) -> None:
    X, y, plates = split_columns(survey)

    assert set(X.dtypes) == {np.dtype(np.float32)}
    assert len(X) == len(y) == len(plates)


def test_numbers_are_read_as_pandas_reads_them(survey: pd.DataFrame, survey_path: Path) -> None:
    table = pd.read_csv(survey_path)

    for name in [*FEATURES, "plate", "class"]:
        pd.testing.assert_series_equal(survey[name], table[name], check_exact=True)


def test_every_row_is_kept_or_rejected(made: Path) -> None:
    change(made, "u", -9999)

    with checked(made) as table:
        counted = {key: table.summary[f"rows_{key}"] for key in ("read", "kept", "rejected")}

    assert counted == {"read": 40, "kept": 39, "rejected": 1}


def test_a_table_with_an_unknown_class_is_refused(made: Path) -> None:
    change(made, "class", "PLANET")

    with pytest.raises(InvalidTable, match=r"'PLANET' \(1 rows, first row 4\).*GALAXY, QSO, STAR"):
        read_survey(made)


def test_a_table_of_which_nothing_is_left_is_refused(made: Path) -> None:
    pd.read_csv(made).assign(u=-9999).to_csv(made, index=False)

    with pytest.raises(InvalidTable, match="none of 40 rows can be used: stands for a failed"):
        read_survey(made)


def test_a_table_without_rows_is_refused(made: Path) -> None:
    pd.read_csv(made)[:0].to_csv(made, index=False)

    with pytest.raises(InvalidTable, match="no rows"):
        read_survey(made)


def test_the_command_prints_and_saves_what_came_of_the_table(made: Path, tmp_path: Path) -> None:
    change(made, "u", -9999)
    out = tmp_path / "out" / "kept.parquet"

    run = subprocess.run(
        [sys.executable, "-m", "research.data", made, "--report", "--out", out],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "40 read, 39 kept, 1 rejected" in run.stdout
    assert "failed measurement" in " ".join(run.stdout.split())
    assert len(pd.read_parquet(out)) == 39
    assert json.loads(out.with_suffix(".summary.json").read_text())["rows_kept"] == 39
    with out.with_suffix(".rejects.csv").open() as file:
        assert list(csv.DictReader(file)) == [
            {
                "row": "4",
                "column": "u",
                "value": "-9999",
                "reason": "stands for a failed measurement",
            }
        ]


def test_the_command_ends_with_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["data", str(tmp_path / "none.csv")])

    with pytest.raises(SystemExit, match=r"research.data: .*none.csv does not exist"):
        data.main()


@pytest.mark.skipif(not SURVEY, reason="the figures are those of the real tables")
def test_the_copy_with_holes_loses_only_rows_with_holes() -> None:
    with checked(Path(SURVEY or "").with_name("sdss_dr14_messy.csv")) as table:
        summary = table.summary

    assert (summary["rows_read"], summary["rows_kept"]) == (10_000, 9_855)
    assert summary["rejected_by_reason"] == {"missing": 145}
    assert sum(summary["nulls"].values()) == 519
