"""Read the whole survey table, with the columns that no model is given."""

import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from research.data import FEATURES, GROUP, TARGET, InvalidTable, read_survey, split_columns
from research.features import Colours

NUMBERS = ("ra", "dec", "run", "rerun", "camcol", "field", "mjd", "fiberid")
IDS = ("objid", "specobjid")
COLOURS = ("u-g", "g-r", "r-i", "i-z")
WIDE = ("u-r", "g-i", "r-z")


def survey_path() -> Path:
    """Return the path that SEXTANT_SURVEY names, or end with a message."""
    named = os.environ.get("SEXTANT_SURVEY")
    if not named:
        raise SystemExit("SEXTANT_SURVEY names no table: set it to the path of a survey table")
    if not Path(named).is_file():
        raise SystemExit(f"SEXTANT_SURVEY names {named}, which is no file")
    return Path(named)


def read_whole(path: Path) -> pd.DataFrame:
    """Return every column of the table: ids as text, all else but the class as numbers.

    Features, class and plate come from `read_survey`, which checks them; the other columns are
    read beside them and belong to the same rows, in the file's order.

    Raises
    ------
    InvalidTable
        When a column is missing or is no number in some row.
    """
    survey = read_survey(path)[[*FEATURES, GROUP, TARGET]].reset_index(drop=True)
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [name for name in (*NUMBERS, *IDS) if name not in raw]
    if missing:
        raise InvalidTable(f"{path} has no column {', '.join(missing)}: the analysis needs it")
    if len(raw) != len(survey):
        raise InvalidTable(
            f"{path} has {len(raw)} rows, of which {len(survey)} can be trusted: "
            "remove the others before the analysis, which needs every column of every row"
        )
    numbers = raw[list(NUMBERS)].apply(pd.to_numeric, errors="coerce")
    holes = [name for name in NUMBERS if not np.isfinite(numbers[name]).all()]
    if holes:
        raise InvalidTable(f"{path} holds what is no number in column {', '.join(holes)}: mend it")
    return survey.join(numbers).join(raw[[*IDS]])


def open_table() -> pd.DataFrame:
    """Return the table that SEXTANT_SURVEY names, with its colours."""
    return add_colours(read_whole(survey_path()))


def read_features(path: Path) -> tuple[NDArray[np.float32], NDArray[np.str_], pd.Series]:
    """Return r, four colours and redshift in float32, the classes, and the plates."""
    X, y, plates = split_columns(read_survey(path).reset_index(drop=True))
    return Colours().fit(X).transform(X), y.to_numpy().astype(str), plates


def add_colours(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the four colours of neighbouring bands and three wide ones."""
    return table.assign(**{name: table[name[0]] - table[name[-1]] for name in (*COLOURS, *WIDE)})


def whole_numbers(ids: pd.Series) -> list[int]:
    """Return ids written as text, in scientific notation or not, as whole numbers."""
    return [int(Decimal(text)) for text in ids]
