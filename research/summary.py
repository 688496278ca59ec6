"""Sum up what was read: how many rows, why some were rejected, what is missing from the others."""

import hashlib
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from research.checks import DUPLICATES, SENTINEL, present_columns
from research.schema import COLUMNS, DOMAIN, SYNTHETIC, TARGET, match_columns


def summarise(
    connection: duckdb.DuckDBPyConnection, source: str, kind: str, names: list[str], sha256: str
) -> dict[str, Any]:
    """Return the summary of a checked table, ready for JSON."""
    present = [column.name for column in present_columns(connection)]
    matched = match_columns(names, source)
    return {
        "source": source,
        "format": kind,
        "sha256": sha256,
        "rows_read": _count(connection, "raw"),
        "rows_kept": _count(connection, "kept"),
        "rows_rejected": _count(connection, "(SELECT DISTINCT row FROM rejects)"),
        # A row may be rejected for several reasons: these may add up to more.
        "rejected_by_reason": _pairs(
            connection, "SELECT reason, count(DISTINCT row) FROM rejects GROUP BY 1"
        ),
        "rejected_by_column": _pairs(
            connection, 'SELECT "column", count(*) FROM rejects GROUP BY 1'
        ),
        "duplicates": _rejected_for(connection, *DUPLICATES.values()),
        "sentinels": _rejected_for(connection, SENTINEL),
        "nulls": _nulls(connection, present),
        "classes_kept": _pairs(connection, f'SELECT "{TARGET}", count(*) FROM kept GROUP BY 1'),
        "kept_outside_domain": _count(connection, "kept", _outside_domain()),
        "kept_synthetic": _count(connection, "kept", SYNTHETIC) if SYNTHETIC in present else 0,
        "kept_with_photometry_of_another": _repeated_photometry(connection),
        "distinct_ids_kept": {
            name: _first(connection, f"SELECT count(DISTINCT {name}) FROM kept")
            for name in ("objid", "specobjid")
            if name in present
        },
        "renamed": {theirs: ours for ours, theirs in matched.items() if ours != theirs},
        "absent": [column.name for column in COLUMNS if column.name not in (*present, SYNTHETIC)],
        "unused": [name for name in names if name not in matched.values()],
    }


def sha256_of_kept(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the sha256 of the kept rows, for a source that has no bytes of its own."""
    digest = hashlib.sha256()
    kept = connection.execute("SELECT * EXCLUDE row FROM kept ORDER BY row")
    while rows := kept.fetchmany(10_000):
        digest.update(repr(rows).encode())
    return digest.hexdigest()


def show(summary: dict[str, Any], console: Console) -> None:
    """Print the summary as a table of what was counted, without what is empty."""
    table = Table("what", "which", "count", title=summary["source"])
    for what, counted in summary.items():
        name = what.replace("_", " ")
        if isinstance(counted, dict):
            for which, count in counted.items():
                table.add_row(name, str(which), f"{count:,}" if isinstance(count, int) else count)
                name = ""
        elif isinstance(counted, int):
            table.add_row(name, "", f"{counted:,}")
        elif isinstance(counted, list) and counted:
            table.add_row(name, ", ".join(counted), f"{len(counted)}")
    console.print(table)


def write_rejects(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the rejected cells as CSV, in the order of the rows; the header is there if none is."""
    _copy(connection, 'SELECT * FROM rejects ORDER BY row, "column"', path, "csv, header")


def write_kept(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the rows that were kept as Parquet, in their order, with the row each came from."""
    _copy(connection, "SELECT * FROM kept ORDER BY row", path, "parquet")


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, form: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    target = str(path).replace("'", "''")
    connection.execute(f"COPY ({query}) TO '{target}' (FORMAT {form})")


def _first(connection: duckdb.DuckDBPyConnection, query: str, values: Any = None) -> int:
    row = connection.execute(query, values).fetchone()
    return int(row[0]) if row else 0


def _count(connection: duckdb.DuckDBPyConnection, table: str, where: str = "true") -> int:
    return _first(connection, f"SELECT count(*) FROM {table} WHERE {where}")


def _pairs(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    return dict(connection.execute(f"{query} ORDER BY 2 DESC, 1").fetchall())


def _rejected_for(connection: duckdb.DuckDBPyConnection, *reasons: str) -> int:
    return _first(
        connection,
        "SELECT count(DISTINCT row) FROM rejects WHERE list_contains(?, reason)",
        [list(reasons)],
    )


def _nulls(connection: duckdb.DuckDBPyConnection, present: list[str]) -> dict[str, int]:
    """Return how many cells of each column were blank in the table as it was read."""
    counts = ", ".join(f'count(*) - count("{name}")' for name in present)
    row = connection.execute(f"SELECT {counts} FROM raw").fetchone() or ()
    return {name: count for name, count in zip(present, row, strict=True) if count}


def _outside_domain() -> str:
    return " OR ".join(f"{band} > {limit}" for band, limit in DOMAIN.items())


def _repeated_photometry(connection: duckdb.DuckDBPyConnection) -> int:
    """Count kept rows whose five magnitudes an earlier row has with another redshift."""
    return _first(
        connection,
        "SELECT coalesce(sum(n - 1), 0) FROM "
        "(SELECT count(*) AS n FROM kept GROUP BY hash(u, g, r, i, z) HAVING count(*) > 1)",
    )
