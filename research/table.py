"""A table that was read and checked: what was kept, what was rejected, and the sum of it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pandas as pd

from research.checks import check, present_columns
from research.databases import read_query, without_password
from research.provenance import sha256_of
from research.schema import FEATURES, GROUP, TARGET, InvalidTable
from research.sources import bring, unpack
from research.staging import open_staging, stage_file, stage_frames
from research.summary import sha256_of_kept, summarise

# What every survey has comes first.
_ORDER = (*FEATURES, GROUP, TARGET)


class CheckedTable(NamedTuple):
    """A table whose rows are in the table `kept` of a database, or in `rejects` with a reason."""

    connection: duckdb.DuckDBPyConnection
    summary: dict[str, Any]

    def survey(self) -> pd.DataFrame:
        """Return the rows that were kept, in their order.

        Raises
        ------
        InvalidTable
            When none was.
        """
        if not self.summary["rows_kept"]:
            worst = ", ".join(self.summary["rejected_by_reason"])
            raise InvalidTable(
                f"{self.summary['source']}: none of {self.summary['rows_read']} rows can be used: "
                f"{worst}. python -m research.data {self.summary['source']} --report tells more."
            )
        present = [column.name for column in present_columns(self.connection)]
        names = [*_ORDER, *(name for name in present if name not in _ORDER)]
        columns = ", ".join(f'"{name}"' for name in names)
        query = f"SELECT {columns} FROM kept ORDER BY row"
        return self.connection.execute(query).df().astype({TARGET: "str"})


@contextmanager
def checked(source: str | Path, query: str | None = None) -> Iterator[CheckedTable]:
    """Read and check a table, in memory that does not grow with it.

    Parameters
    ----------
    source : str or Path
        A file, an http, https or file URL, or, with a query, the URL of a database.
        CSV, TSV, JSON, NDJSON, Parquet, FITS, VOTable, or gzip of one, told by the content.
    query : str, optional
        What to ask the database.

    Raises
    ------
    InvalidTable
        When it cannot be read, lacks a needed column, has no rows, or has an unknown class.
    OSError
        When it cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="sextant-") as name:
        folder = Path(name)
        with open_staging(folder) as connection:
            if query is None:
                shown = str(source)
                path, kind = unpack(brought := bring(shown, folder), shown)
                kind, names = stage_file(connection, path, kind, shown)
                sha256 = sha256_of(brought)
            else:
                shown, kind = without_password(str(source)), "database"
                names = stage_frames(connection, read_query(str(source), query), shown)
                sha256 = None
            check(connection, shown)
            sha256 = sha256 or sha256_of_kept(connection)
            summary = summarise(connection, shown, kind, names, sha256)
            yield CheckedTable(connection, summary)
