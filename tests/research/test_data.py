"""A table that cannot be right is refused with the row, the column, the value and the mend."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from research.data import FEATURES, InvalidTable, read_survey, split_columns
from tests.conftest import made_survey


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / "made.csv"
    made_survey(rows=40).to_csv(path, index=False)
    return path


def change(path: Path, column: str, value: object, row: int = 3) -> None:
    table = pd.read_csv(path, dtype=str)
    table.loc[row, column] = str(value)
    table.to_csv(path, index=False)


def test_the_survey_is_read_with_its_features_class_and_plate(survey: pd.DataFrame) -> None:
    assert list(survey) == [*FEATURES, "plate", "class"]
    assert np.isfinite(survey[list(FEATURES)]).all(axis=None)


def test_ids_and_places_are_no_features() -> None:
    assert list(FEATURES) == ["u", "g", "r", "i", "z", "redshift"]


def test_features_are_cast_to_float32_before_anything_is_fitted(survey: pd.DataFrame) -> None:
    X, y, plates = split_columns(survey)

    assert set(X.dtypes) == {np.dtype(np.float32)}
    assert len(X) == len(y) == len(plates)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("u", "-9999", "'-9999' stands for a failed measurement"),
        ("redshift", "-9999.0", "'-9999.0' stands for a failed measurement"),
        ("g", "", "'' is no finite number"),
        ("r", "bright", "'bright' is no finite number"),
        ("i", "inf", "'inf' is no finite number"),
        ("z", "NaN", "'NaN' is no finite number"),
        ("class", "PLANET", "'PLANET' is no known class.*Expected GALAXY, QSO, STAR"),
        ("plate", "", "'' is no finite number"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_column(
    made: Path, column: str, value: str, said: str
) -> None:
    change(made, column, value)

    with pytest.raises(InvalidTable, match=rf"line 5, column {column}: {said}"):
        read_survey(made)


def test_the_number_of_wrong_rows_is_told(made: Path) -> None:
    change(made, "u", -9999, row=3)
    change(made, "u", -9999, row=7)

    with pytest.raises(InvalidTable, match="2 such rows"):
        read_survey(made)


def test_a_missing_column_is_named(made: Path) -> None:
    pd.read_csv(made).drop(columns=["i", "class"]).to_csv(made, index=False)

    with pytest.raises(InvalidTable, match="no column i, class"):
        read_survey(made)


def test_a_repeated_row_is_refused(made: Path) -> None:
    table = pd.read_csv(made, dtype=str)
    pd.concat([table, table[:1]]).to_csv(made, index=False)

    with pytest.raises(InvalidTable, match=r"line 42, .* stands in a repeated row"):
        read_survey(made)


def test_an_object_that_is_there_twice_is_refused(made: Path) -> None:
    table = pd.read_csv(made, dtype=str)
    pd.concat([table, table[:1].assign(specobjid="other")]).to_csv(made, index=False)

    with pytest.raises(InvalidTable, match="belongs to an object that an earlier row holds"):
        read_survey(made)


def test_a_table_without_rows_is_refused(made: Path) -> None:
    pd.read_csv(made)[:0].to_csv(made, index=False)

    with pytest.raises(InvalidTable, match="no rows"):
        read_survey(made)
