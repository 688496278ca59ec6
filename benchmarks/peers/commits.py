"""The least that a stored row costs: one commit of one row, in a bare loop on the same disk.

The row goes in by a prepared statement, which takes less than an INSERT or an appender.
"""

import json
import time
from pathlib import Path
from statistics import median
from typing import Any

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
            table = stored.table(name)
            types = {
                column: _in_json(kind)
                for column, kind in zip(table.columns, table.types, strict=True)
            }
            query = f"SELECT to_json(t)::VARCHAR FROM {name} t LIMIT 1"  # noqa: S608  # its own name
            ((row,),) = stored.execute(query).fetchall()
        self._database = duckdb.connect(path)
        self._database.execute(definition)
        self._database.execute(
            f"PREPARE store AS INSERT INTO {name} "  # noqa: S608  # the same
            f"SELECT unnest(from_json_strict(text, '{json.dumps(types)}')) "
            "FROM (SELECT unnest($1::VARCHAR[]) AS text)"
        )
        quoted = row.replace("'", "''")
        self._statement = f"EXECUTE store(['{quoted}'])"

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


def _in_json(kind: Any) -> Any:
    """Return a type of DuckDB's as `from_json` takes it."""
    if kind.id in ("array", "list"):
        return [_in_json(kind.children[0][1])]
    if kind.id == "struct":
        return {name: _in_json(child) for name, child in kind.children}
    return str(kind)
