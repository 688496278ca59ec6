"""Read the tables of astronomy, FITS and VOTable, through astropy, a slice at a time."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits, votable
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from research.schema import InvalidTable

ROWS_AT_ONCE = 100_000


def read_fits(path: Path, source: str) -> Iterator[pd.DataFrame]:
    """Yield the rows of the first table of a FITS file; at least one frame, perhaps empty."""
    with path.open("rb") as file, _told_as_invalid(f"{source} is a FITS file"):
        with _only_truncation_warned():
            units = fits.open(file, memmap=True)
        tables = [unit for unit in units if isinstance(unit, fits.BinTableHDU | fits.TableHDU)]
        if not tables:
            raise InvalidTable(f"{source} is a FITS file without a table, perhaps an image.")
        for start in range(0, max(tables[0].header["NAXIS2"], 1), ROWS_AT_ONCE):
            with _only_truncation_warned():
                part = tables[0].data[start : start + ROWS_AT_ONCE]
                frame = _frame(Table.read(type(tables[0])(data=part, header=tables[0].header)))
            yield frame


def read_votable(path: Path, source: str) -> Iterator[pd.DataFrame]:
    """Yield the rows of the first table of a VOTable; at least one frame, perhaps empty."""
    with _told_as_invalid(f"{source} is a VOTable"), _only_truncation_warned():
        tables = list(votable.parse(path, verify="ignore").iter_tables())
        if not tables:
            raise InvalidTable(f"{source} is a VOTable file without a table.")
        table = tables[0].to_table(use_names_over_ids=True)
    for start in range(0, max(len(table), 1), ROWS_AT_ONCE):
        yield _frame(table[start : start + ROWS_AT_ONCE])


@contextmanager
def _told_as_invalid(what: str) -> Iterator[None]:
    """Turn what astropy raises on a broken file into our error."""
    try:
        yield
    except InvalidTable:
        raise
    except (OSError, TypeError, ValueError, KeyError, IndexError, Warning) as error:
        raise InvalidTable(f"{what} that cannot be read: {error}") from error


@contextmanager
def _only_truncation_warned() -> Iterator[None]:
    """Raise where a file ends too early; pass over matters of style, our checks find the rest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message=".*truncated", category=AstropyUserWarning)
        yield


def _frame(table: Any) -> pd.DataFrame:
    """Return a table as a frame; columns that hold arrays are left out, none of ours does."""
    flat = table[[name for name in table.colnames if table[name].ndim == 1]]
    flat.convert_bytestring_to_unicode()
    frame: pd.DataFrame = flat.to_pandas()
    for name in frame.columns[frame.dtypes == np.dtype(object)]:
        frame[name] = frame[name].map(_text, na_action="ignore")
    return frame


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
