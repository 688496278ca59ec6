"""Explain two copies of a table, row by row: what is equal, rounded, blank or different."""

import tempfile
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from research.checks import present_columns
from research.matching import match_rows
from research.schema import Column

_STATES = ("equal", "rounded", "blank in the first", "blank in the second", "different")

# Half of the last digit that is written: 3.72E+18 stands for anything within 0.005E+18 of it.
_MACROS = """
CREATE OR REPLACE TEMP MACRO last_digit(cell) AS power(10.0,
  coalesce(TRY_CAST(nullif(regexp_extract(lower(cell), 'e([+-]?[0-9]+)', 1), '') AS INTEGER), 0)
  - length(regexp_extract(cell, '[.]([0-9]+)', 1)));
CREATE OR REPLACE TEMP MACRO state(a, b) AS CASE
  WHEN a IS NOT DISTINCT FROM b OR TRY_CAST(a AS DOUBLE) = TRY_CAST(b AS DOUBLE) THEN 'equal'
  WHEN a IS NULL THEN 'blank in the first' WHEN b IS NULL THEN 'blank in the second'
  WHEN abs(TRY_CAST(a AS DOUBLE) - TRY_CAST(b AS DOUBLE))
    <= 0.500001 * greatest(last_digit(a), last_digit(b)) THEN 'rounded'
  ELSE 'different' END;
"""


def reconcile(
    first: duckdb.DuckDBPyConnection, second: duckdb.DuckDBPyConnection
) -> dict[str, Any]:
    """Match the rows of two checked tables and say how they differ.

    Leaves in the first database a table `differences`: one line for every row of either.

    Returns
    -------
    dict of counts: rows matched by each key, rows in one only, cells of each column by state, and
    rows by what became of them in both tables
    """
    theirs = {column.name for column in present_columns(second)}
    columns = [column for column in present_columns(first) if column.name in theirs]
    with tempfile.TemporaryDirectory(prefix="sextant-") as name:
        path = Path(name, "second.parquet")
        _collect(second, f"COPY ({{}}) TO '{path}' (FORMAT parquet)")
        _collect(first, "CREATE OR REPLACE TABLE first_rows AS {}")
        first.execute(f"CREATE OR REPLACE TABLE second_rows AS FROM read_parquet('{path}')")
    first.execute(_MACROS)
    matched = match_rows(first, {column.name for column in columns})
    _compare(first, columns)
    return {"matched": matched, **_counts(first, columns)}


def write_differences(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write a line for every row of either table as CSV."""
    target = str(path).replace("'", "''")
    connection.execute(
        f"COPY (FROM differences ORDER BY row_first, row_second) TO '{target}' (FORMAT csv, header)"
    )


def show_differences(counts: dict[str, Any], console: Console, names: tuple[str, str]) -> None:
    """Print what `reconcile` counted."""
    console.print(f"first: {names[0]}\nsecond: {names[1]}", soft_wrap=True)
    rows = Table("rows", "count")
    for what, key in {"matched by": "matched", "": "rows", "outcome:": "outcomes"}.items():
        for which, count in counts[key].items():
            rows.add_row(f"{what} {which}".strip(), f"{count:,}")
    console.print(rows)
    cells = Table("column", *_STATES)
    for column, states in counts["cells"].items():
        cells.add_row(column, *(f"{states.get(state, 0):,}" for state in _STATES))
    console.print(cells)


def _collect(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Put every row as it was written, with its number and what became of it, where told."""
    query = (
        "SELECT rowid + 1 AS row, raw.*, coalesce(rejected, 'kept') AS outcome "
        "FROM raw LEFT JOIN (SELECT row AS rejected_row, "
        "string_agg(columns || ' ' || reason, ', ' ORDER BY reason) AS rejected FROM "
        '(SELECT row, reason, string_agg("column", \' \' ORDER BY "column") AS columns '
        "FROM rejects GROUP BY 1, 2) GROUP BY 1) ON rejected_row = raw.rowid + 1"
    )
    connection.execute(statement.format(query))


def _compare(connection: duckdb.DuckDBPyConnection, columns: list[Column]) -> None:
    states = ", ".join(f'state(a."{c.name}", b."{c.name}") AS "{c.name}"' for c in columns)
    lists = ", ".join(
        "concat_ws(' ', "
        + ", ".join(f"CASE WHEN \"{c.name}\" = '{state}' THEN '{c.name}' END" for c in columns)
        + f') AS "{state}"'
        for state in _STATES[1:]
    )
    connection.execute(
        "CREATE OR REPLACE TABLE states AS SELECT row_first, row_second, matched_by, "
        f"a.outcome AS outcome_first, b.outcome AS outcome_second, {states} FROM pairs "
        "JOIN first_rows AS a ON a.row = row_first JOIN second_rows AS b ON b.row = row_second"
    )
    connection.execute(
        "CREATE OR REPLACE TABLE differences AS SELECT row_first, row_second, matched_by, "
        f"outcome_first, outcome_second, {lists} FROM states"
    )
    for side in ("first", "second"):
        connection.execute(
            f"INSERT INTO differences BY NAME SELECT row AS row_{side}, "
            f"outcome AS outcome_{side} FROM {side}_rows "
            f"WHERE row NOT IN (SELECT row_{side} FROM pairs)"
        )


def _counts(connection: duckdb.DuckDBPyConnection, columns: list[Column]) -> dict[str, Any]:
    def pairs(query: str) -> dict[str, int]:
        return dict(connection.execute(f"{query} GROUP BY 1 ORDER BY 2 DESC, 1").fetchall())

    told = (
        "CASE WHEN matched_by IS NULL THEN "
        "CASE WHEN row_second IS NULL THEN 'only in the first' ELSE 'only in the second' END "
        "WHEN different != '' THEN 'different in a cell' "
        "WHEN \"blank in the first\" || \"blank in the second\" != '' THEN 'blank in a cell' "
        "WHEN rounded != '' THEN 'equal but for rounding' ELSE 'equal in every cell' END"
    )
    outcome = "coalesce(outcome_{0}, 'not there')"
    return {
        "rows": pairs(f"SELECT {told}, count(*) FROM differences"),
        "outcomes": pairs(
            f"SELECT CASE WHEN {outcome.format('first')} = {outcome.format('second')} "
            f"THEN {outcome.format('first')} || ' in both' ELSE {outcome.format('first')} "
            f"|| ' in the first, in the second ' || {outcome.format('second')} END, "
            "count(*) FROM differences"
        ),
        "cells": {
            column.name: pairs(f'SELECT "{column.name}", count(*) FROM states')
            for column in columns
        },
    }
