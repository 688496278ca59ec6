"""A row that cannot be trusted is rejected with its row, column, value and reason."""

from pathlib import Path

import pandas as pd
import pytest

from research.data import checked, read_survey
from tests.conftest import made_survey


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


def rejects(path: Path) -> list[tuple[object, ...]]:
    with checked(path) as table:
        return table.connection.execute("FROM rejects ORDER BY row").fetchall()


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("u", "-9999", "stands for a failed measurement"),
        ("redshift", "-9999.0", "stands for a failed measurement"),
        ("ra", "-999", "stands for a failed measurement"),
        ("r", "bright", "is no number"),
        ("r", "1,5", "is no number"),
        ("r", "1_5", "is no number"),
        ("i", "inf", "is not finite"),
        ("i", "1e400", "is not finite"),
        ("g", "1e39", "is outside 0 to 35"),
        ("dec", "91", "is outside -90 to 90"),
        ("camcol", "7", "is outside 1 to 6"),
        ("plate", "266.5", "is no whole number"),
        ("objid", "12x", "is no number"),
    ],
)
def test_a_wrong_value_rejects_its_row_with_column_value_and_reason(
    made: Path, column: str, value: str, reason: str
) -> None:
    change(made, column, value)

    assert rejects(made) == [(4, column, value, reason)]


@pytest.mark.parametrize("value", ["", "NaN", "null", "N/A", " "])
@pytest.mark.parametrize("column", ["g", "redshift", "class", "plate"])
def test_a_needed_value_that_is_missing_rejects_its_row(
    made: Path, column: str, value: str
) -> None:
    change(made, column, value)

    assert rejects(made) == [(4, column, None, "missing")]


@pytest.mark.parametrize("column", ["ra", "dec", "run", "rerun", "camcol", "mjd", "objid"])
def test_a_missing_value_that_nothing_is_learnt_from_is_counted_and_stays_missing(
    made: Path, column: str
) -> None:
    change(made, column, "")

    with checked(made) as table:
        assert table.summary["nulls"] == {column: 1}
        assert table.survey()[column].isna().sum() == 1


def test_a_place_at_99_degrees_is_no_failed_measurement(made: Path) -> None:
    change(made, "ra", "99")

    assert rejects(made) == []


def test_an_identifier_that_a_database_showed_as_negative_is_the_same(made: Path) -> None:
    change(made, "specobjid", -8997065755342038016)

    assert read_survey(made)["specobjid"].iloc[3] == 2**64 - 8997065755342038016


def test_a_row_may_be_rejected_for_several_reasons(made: Path) -> None:
    change(made, "u", -9999)
    change(made, "g", "")

    with checked(made) as table:
        assert table.summary["rows_rejected"] == 1
        assert table.summary["rejected_by_reason"] == {
            "missing": 1,
            "stands for a failed measurement": 1,
        }


def test_a_repeated_row_is_rejected_and_the_first_kept(made: Path) -> None:
    table = pd.read_csv(made, dtype=str)
    pd.concat([table, table[:1]]).to_csv(made, index=False)

    key = "u g r i z redshift"
    reason = "holds the magnitudes and the redshift of an earlier row"
    assert rejects(made) == [(41, key, "row 1", reason)]


def test_a_spectrum_that_is_there_twice_is_rejected(made: Path) -> None:
    table = pd.read_csv(made, dtype=str)
    again = table[:1].assign(redshift="0.2", specobjid="1")
    pd.concat([table, again]).to_csv(made, index=False)

    reason = "holds the spectrum of an earlier row"
    assert rejects(made) == [(41, "plate mjd fiberid", "row 1", reason)]


def test_a_rejected_row_does_not_make_a_good_one_its_duplicate(made: Path) -> None:
    table = pd.read_csv(made, dtype=str)
    pd.concat([table[:1].assign(ra="-9999"), table]).to_csv(made, index=False)

    assert [row[:2] for row in rejects(made)] == [(1, "ra")]


def test_rounded_ids_make_no_duplicates(made: Path) -> None:
    pd.read_csv(made, dtype=str).assign(objid="1.24E+18", specobjid="3E+17").to_csv(made)

    with checked(made) as table:
        assert table.summary["duplicates"] == 0
        assert table.summary["distinct_ids_kept"] == {"objid": 1, "specobjid": 1}


def test_photometry_with_two_redshifts_is_kept_and_counted(made: Path) -> None:
    table = pd.read_csv(made, dtype=str)
    again = table[:1].assign(redshift="0.2", plate="9999")
    pd.concat([table, again]).to_csv(made, index=False)

    with checked(made) as read:
        assert read.summary["rows_kept"] == 41
        assert read.summary["kept_with_photometry_of_another"] == 1
