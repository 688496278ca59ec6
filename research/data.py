"""Read the survey table, refuse what cannot be right, and say what its columns mean."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd


class Feature(NamedTuple):
    """What a person must know of a feature to give a value for it."""

    unit: str
    meaning: str
    nullable: bool = False


_MAGNITUDE = "model magnitude in the {} band, asinh scale, not corrected for Galactic dust"

# objid, specobjid, run, rerun, camcol and field are bookkeeping. ra and dec are where the survey
# happened to look, plate, mjd and fiberid when and how it took a spectrum: plates were drilled for
# one kind of target, so they tell the class (macro F1 .57 alone) for reasons no new object shares.
FEATURES = {
    **{band: Feature("mag", _MAGNITUDE.format(band)) for band in "ugriz"},
    "redshift": Feature("", "redshift measured in the object's spectrum", nullable=True),
}
TARGET = "class"
GROUP = "plate"
CLASSES = ("GALAXY", "QSO", "STAR")

# The survey writes these where a measurement failed.
SENTINELS = (-9999.0, -999.0, -99.0, 9999.0, 999.0, 99.0)


class InvalidTable(ValueError):
    """The table cannot be trusted; the message names the row, the column and the mend."""


def read_survey(path: Path) -> pd.DataFrame:
    """Read a survey table from a CSV file and check it.

    Parameters
    ----------
    path : Path
        Comma-separated, with a header that names at least the features, the class and the plate.

    Returns
    -------
    DataFrame of float64 features, string classes and integer plates, a row an object

    Raises
    ------
    InvalidTable
        When a column is missing, a value is no finite number, a sentinel or no known class, or an
        object is there twice.
    """
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [name for name in (*FEATURES, TARGET, GROUP) if name not in table]
    if missing:
        raise InvalidTable(
            f"{path} has no column {', '.join(missing)}; it has {', '.join(table.columns)}. "
            "Name the columns as the survey does."
        )
    if table.empty:
        raise InvalidTable(f"{path} has a header and no rows.")
    _refuse_rows(path, table.duplicated(), table["u"], "repeats an earlier row", "Remove it")
    numbers = {name: _numbers(path, table[name]) for name in FEATURES}
    plates = _numbers(path, table[GROUP])
    _refuse_rows(path, ~table[TARGET].isin(CLASSES), table[TARGET], "is no known class",
                 f"Expected {', '.join(CLASSES)}: correct or remove the row")  # fmt: skip
    survey = pd.DataFrame({**numbers, TARGET: table[TARGET], GROUP: plates.astype(np.int64)})
    _refuse_rows(path, survey.duplicated(subset=list(FEATURES)), table["u"],
                 "belongs to an object that stands in an earlier row", "Remove one of them")  # fmt: skip
    return survey


def split_columns(survey: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Return X in float32, y, and the plate of every row.

    Trees compare in float32 once exported: a threshold learnt in float64 could fall on the other
    side of a value.
    """
    return survey[list(FEATURES)].astype(np.float32), survey[TARGET], survey[GROUP]


def _numbers(path: Path, column: "pd.Series[str]") -> "pd.Series[float]":
    values = pd.to_numeric(column, errors="coerce").astype(np.float64)
    _refuse_rows(path, ~np.isfinite(values), column, "is no finite number", "Correct or remove it")
    _refuse_rows(path, values.isin(SENTINELS), column, "stands for a failed measurement",
                 "Remove the row")  # fmt: skip
    return values


def _refuse_rows(
    path: Path, refused: "pd.Series[bool]", column: "pd.Series[str]", fault: str, mend: str
) -> None:
    """Raise if any row is refused, naming the first by its line in the file (the header is 1)."""
    if not refused.any():
        return
    first = int(np.argmax(refused))
    raise InvalidTable(
        f"{path}, line {first + 2}, column {column.name}: {column.iloc[first]!r} {fault}"
        f" ({int(refused.sum())} such rows). {mend}."
    )
