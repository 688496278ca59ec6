"""Read the survey table, refuse what cannot be right, and say what its columns mean."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class Feature(NamedTuple):
    """What a person must know of a feature to give a value for it."""

    unit: str
    meaning: str
    nullable: bool = False
    domain: tuple[float | None, float | None] | None = None


_MAGNITUDE = "model magnitude in the {} band, asinh scale, not corrected for Galactic dust"

# objid, specobjid, run, rerun, camcol and field are bookkeeping. ra and dec are where the survey
# happened to look, plate, mjd and fiberid when and how it took a spectrum: plates were drilled for
# one kind of target, so they tell the class for reasons no new object shares.
# The sample ends at u = 19.6 and g = 20: beyond lie other kinds of objects in other proportions.
_DOMAINS = {"u": (None, 19.6), "g": (None, 20.0)}
FEATURES = {
    **{
        band: Feature("mag", _MAGNITUDE.format(band), domain=_DOMAINS.get(band)) for band in "ugriz"
    },
    "redshift": Feature("", "redshift measured in the object's spectrum", nullable=True),
}
TARGET = "class"
GROUP = "plate"
_NUMBERS = (*FEATURES, GROUP)
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
    DataFrame of the features and the plate as numbers, and the class, a row an object

    Raises
    ------
    InvalidTable
        When a column is missing, a value is no finite number, a sentinel or no known class, or an
        object is there twice.
    """
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [name for name in (*_NUMBERS, TARGET) if name not in table]
    if missing:
        raise InvalidTable(
            f"{path} has no column {', '.join(missing)}; it has {', '.join(table.columns)}. "
            "Name the columns as the survey does."
        )
    if table.empty:
        raise InvalidTable(f"{path} has a header and no rows.")
    refuse = partial(_refuse_rows, path)
    refuse(table.duplicated(), table["u"], "stands in a repeated row", "Remove it")
    unknown = ~table[TARGET].isin(CLASSES)
    refuse(unknown, table[TARGET], "is no known class", f"Expected {', '.join(CLASSES)}")
    survey = pd.DataFrame({name: pd.to_numeric(table[name], "coerce") for name in _NUMBERS})
    for name in _NUMBERS:
        refuse(~np.isfinite(survey[name]), table[name], "is no finite number", "Mend or remove it")
    for name in FEATURES:
        failed = survey[name].isin(SENTINELS)
        refuse(failed, table[name], "stands for a failed measurement", "Remove the row")
    again = survey.duplicated(subset=list(FEATURES))
    refuse(again, table["u"], "belongs to an object that an earlier row holds", "Remove one")
    return survey.assign(**{TARGET: table[TARGET]})


def split_columns(survey: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Return X in float32, y, and the plate of every row.

    Trees compare in float32 once exported: a threshold learnt in float64 could fall on the other
    side of a value.
    """
    return survey[list(FEATURES)].astype(np.float32), survey[TARGET], survey[GROUP]


def _refuse_rows(path: Path, refused: Any, column: "pd.Series[str]", fault: str, mend: str) -> None:
    """Raise if any row is refused, naming the first by its line in the file (the header is 1)."""
    if not refused.any():
        return
    first = int(np.argmax(refused))
    raise InvalidTable(
        f"{path}, line {first + 2}, column {column.name}: {column.iloc[first]!r} {fault}"
        f" ({int(refused.sum())} such rows). {mend}."
    )
