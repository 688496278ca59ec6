"""Check a staged table against the schema: what is wrong with which cell, and which rows stay."""

import duckdb

from research.schema import CLASSES, COLUMNS, FEATURES, SENTINELS, TARGET, Column, InvalidTable

# A spectrum is one fibre on one plate on one night. objid and specobjid are no keys: most copies
# of the table hold them as decimal numbers that lost their last digits.
_SPECTRUM = ("plate", "mjd", "fiberid")
_MEASUREMENT = tuple(FEATURES)
MISSING = "missing"
SENTINEL = "stands for a failed measurement"
DUPLICATES = {
    _MEASUREMENT: "holds the magnitudes and the redshift of an earlier row",
    _SPECTRUM: "holds the spectrum of an earlier row",
}


def present_columns(connection: duckdb.DuckDBPyConnection) -> list[Column]:
    """Return the columns of the schema that the staged table has."""
    staged = {row[0] for row in connection.execute("DESCRIBE raw").fetchall()}
    return [column for column in COLUMNS if column.name in staged]


def check(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Make the tables `rejects` (row, column, value, reason) and `kept` of the table `raw`.

    Raises
    ------
    InvalidTable
        When there is no row, or a class that we do not know.
    """
    columns = present_columns(connection)
    if connection.execute("SELECT count(*) FROM raw").fetchone() == (0,):
        raise InvalidTable(f"{source} has a header and no rows.")
    _refuse_unknown_classes(connection, source)
    faults = " UNION ALL ".join(_faults(column) for column in columns)
    connection.execute(f"CREATE TABLE rejects AS {faults}")
    typed = ", ".join(f'{_typed(column)} AS "{column.name}"' for column in columns)
    connection.execute(
        f"CREATE TABLE kept AS SELECT rowid + 1 AS row, {typed} FROM raw "
        'WHERE rowid + 1 NOT IN (SELECT "row" FROM rejects) ORDER BY rowid'
    )
    names = {column.name for column in columns}
    for key, reason in DUPLICATES.items():
        if names.issuperset(key):
            _reject_duplicates(connection, key, reason)


def _refuse_unknown_classes(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    known = ", ".join(f"'{name}'" for name in CLASSES)
    unknown = connection.execute(
        f'SELECT "{TARGET}", count(*), min(rowid) + 1 FROM raw '
        f'WHERE "{TARGET}" NOT IN ({known}) GROUP BY 1 ORDER BY 3 LIMIT 5'
    ).fetchall()
    if unknown:
        told = ", ".join(f"{name!r} ({n} rows, first row {row})" for name, n, row in unknown)
        raise InvalidTable(
            f"{source}, column {TARGET}: {told} is no known class. "
            f"Expected {', '.join(CLASSES)}; leave other rows out, or rename them."
        )


def _faults(column: Column) -> str:
    """Return the query for the cells of a column that the schema does not allow."""
    return (
        f'SELECT rowid + 1 AS row, \'{column.name}\' AS "column", "{column.name}" AS value, '
        f"{_reason(column)} AS reason FROM raw WHERE reason IS NOT NULL"
    )


def _reason(column: Column) -> str:
    text = f'"{column.name}"'
    missing = f"'{MISSING}'" if column.needed else "CAST(NULL AS VARCHAR)"
    if column.kind == "class":
        return f"CASE WHEN {text} IS NULL THEN {missing} END"
    if column.kind == "flag":
        valid = f"TRY_CAST({text} AS BOOLEAN) IS NULL AND {text} IS NOT NULL"
        return f"CASE WHEN {valid} THEN 'is neither true nor false' END"
    number = _number(column)
    inside = f"{number} BETWEEN {column.low!r} AND {column.high!r}"
    whole = f"WHEN {number} != floor({number}) THEN 'is no whole number'"
    return (
        f"CASE WHEN {text} IS NULL THEN {missing} WHEN {number} IS NULL THEN 'is no number' "
        f"WHEN NOT isfinite({number}) THEN 'is not finite' "
        # A right ascension of 99 degrees is a place, and plate 999 a plate.
        f"WHEN NOT {inside} AND {number} IN ({', '.join(map(str, SENTINELS))}) THEN '{SENTINEL}' "
        f"{'' if column.kind == 'number' else whole} "
        f"WHEN NOT {inside} THEN 'is outside {column.low:g} to {column.high:g}' END"
    )


def _number(column: Column) -> str:
    # DuckDB takes 1_000 for a number, as Python does; in a table it is a slip.
    text = f'"{column.name}"'
    return f"TRY_CAST(CASE WHEN NOT contains({text}, '_') THEN {text} END AS DOUBLE)"


def _typed(column: Column) -> str:
    if column.kind == "class":
        return f'"{column.name}"'
    if column.kind == "flag":
        return f'TRY_CAST("{column.name}" AS BOOLEAN)'
    if column.kind == "id":
        # Not by way of a floating-point number, which holds 15 of its 19 digits.
        whole = f'TRY_CAST("{column.name}" AS HUGEINT)'
        # Databases without unsigned numbers show those of 64 bits as negative ones.
        return f"CAST(CASE WHEN {whole} < 0 THEN {whole} + {2**64} ELSE {whole} END AS UBIGINT)"
    return _number(column) if column.kind == "number" else f"CAST({_number(column)} AS BIGINT)"


def _reject_duplicates(
    connection: duckdb.DuckDBPyConnection, key: tuple[str, ...], reason: str
) -> None:
    """Move every later row of the same key from `kept` to `rejects`, with the row it repeats."""
    columns = ", ".join(f'"{name}"' for name in key)
    complete = " AND ".join(f'"{name}" IS NOT NULL' for name in key)
    # Hashes first: they fit in memory where the keys of millions of rows do not.
    repeated = f"SELECT hash({columns}) FROM kept WHERE {complete} GROUP BY 1 HAVING count(*) > 1"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE again AS SELECT * FROM (SELECT row, "
        f"min(row) OVER (PARTITION BY {columns}) AS earlier FROM kept "
        f"WHERE {complete} AND hash({columns}) IN ({repeated})) WHERE row > earlier"
    )
    connection.execute(
        "INSERT INTO rejects SELECT row, ?, 'row ' || earlier, ? FROM again ORDER BY row",
        [" ".join(key), reason],
    )
    connection.execute("DELETE FROM kept WHERE row IN (SELECT row FROM again)")
