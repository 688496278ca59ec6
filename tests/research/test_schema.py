"""The schema says what every column is, and finds it under the names people give it."""

from pathlib import Path

import pytest

from research.schema import COLUMNS, InvalidTable, match_columns

DOCUMENT = Path(__file__).parents[2] / "docs" / "data.md"
NEEDED = [column.name for column in COLUMNS if column.needed]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("alpha", "ra"),
        ("delta", "dec"),
        ("obj_ID", "objid"),
        ("spec_obj_ID", "specobjid"),
        ("MJD", "mjd"),
        ("fiber_ID", "fiberid"),
        ("cam_col", "camcol"),
        ("run_ID", "run"),
        (" Field_ID ", "field"),
    ],
)
def test_a_column_is_known_by_its_other_names(theirs: str, ours: str) -> None:
    assert match_columns([*NEEDED, theirs], "here")[ours] == theirs


def test_the_names_of_columns_are_known_in_any_case() -> None:
    assert list(match_columns([name.upper() for name in NEEDED], "here")) == NEEDED


def test_no_name_means_two_columns() -> None:
    names = [alias for column in COLUMNS for alias in (column.name, *column.aliases)]

    assert len(set(names)) == len(names)


def test_a_needed_column_that_is_missing_is_named_with_what_is_there() -> None:
    with pytest.raises(InvalidTable, match="here has no column u, class; it has g, r"):
        match_columns([name for name in NEEDED if name not in ("u", "class")], "here")


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_every_column_is_documented(column: object) -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if "|" in line]

    named = [row for row in rows if row.startswith(f"| {column.name} |")]  # type: ignore[attr-defined]
    assert len(named) == 1
    assert all(alias in named[0] for alias in column.aliases)  # type: ignore[attr-defined]
