"""The least that a stored row costs: one commit of one row, in a bare loop on the same disk."""

import time
from pathlib import Path
from statistics import median

import duckdb


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
            self._rows = stored.table(name).limit(1).fetchall()
        self._database = duckdb.connect(path)
        self._database.execute(definition)
        self._appender = self._database.appender(name)

    def p50_ms(self, seconds: float) -> float:
        """Store the row again and again, and return the median time of a commit."""
        times: list[float] = []
        while sum(times) < seconds:
            began = time.perf_counter()
            self._appender.append_rows(self._rows)
            self._appender.flush()
            times.append(time.perf_counter() - began)
        return 1e3 * median(times)

    def close(self) -> None:
        """Let the file go."""
        self._database.close()
