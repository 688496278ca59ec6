"""The least that a stored row costs: one commit of one row, in a bare loop on the same disk.

It is stored as the server does, which takes less than an INSERT or an appender.
"""

import time
from pathlib import Path
from statistics import median

import duckdb

from server.storage.layout import Column, Table
from server.storage.writing import insertion, prepare, to_texts


class BareCommits:
    """A table like the one that a server's row lies in, and that row.

    Parameters
    ----------
    log : Path
        The log of a server that has stored a row and has ended.
    path : Path
        Where the table is made.
    """

    def __init__(self, log: Path, path: Path) -> None:
        with duckdb.connect(log, read_only=True) as stored:
            ((name, definition),) = stored.execute(
                "SELECT table_name, sql FROM duckdb_tables() WHERE table_name LIKE 'stored_%'"
            ).fetchall()
            row = stored.table(name).limit(1)
            (values,) = row.fetchall()
            cells = dict(zip(row.columns, values, strict=True))
            types = zip(row.columns, map(str, row.types), strict=True)
        table = Table(name, [_column(*each) for each in types])
        cells["prediction_id"] = str(cells["prediction_id"])
        self._database = duckdb.connect(path)
        self._database.execute(definition)
        prepare(self._database, table)
        given = {name: [cell] for name, cell in cells.items()}
        self._statement = insertion(table, to_texts(table, given, 1))

    def p50_ms(self, seconds: float) -> float:
        """Store the row again and again, and return the median time of a commit."""
        times: list[float] = []
        while sum(times) < seconds:
            began = time.perf_counter()
            self._database.execute(*self._database.extract_statements(self._statement))
            times.append(time.perf_counter() - began)
        return 1e3 * median(times)

    def close(self) -> None:
        """Let the file go."""
        self._database.close()


def _column(name: str, kind: str) -> Column:
    """Return a column of a type as DuckDB writes it."""
    element, _, width = kind.removesuffix("]").rpartition("[")
    return Column(name, element, int(width)) if width.isdigit() else Column(name, kind)
