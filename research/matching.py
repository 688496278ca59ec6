"""Match the rows of two copies of a table, by the surest key that each row has."""

import duckdb

# What tells a row again, the surest first: the spectrum's own key, then the place (a hundred
# thousandth of a degree is 0.04 seconds of arc) with the fibre, then the measurement.
_KEYS: dict[str, dict[str, int | None]] = {
    "plate, mjd and fiberid": {"plate": None, "mjd": None, "fiberid": None},
    "ra to 5 decimals, and fiberid": {"ra": 5, "fiberid": None},
    "magnitudes": dict.fromkeys("ugriz"),
}


def match_rows(connection: duckdb.DuckDBPyConnection, names: set[str]) -> dict[str, int]:
    """Make the table `pairs`, key by key, of rows that a key names only once on either side."""
    connection.execute(
        "CREATE OR REPLACE TABLE pairs (row_first BIGINT, row_second BIGINT, matched_by VARCHAR)"
    )
    matched = {}
    for told, key in _KEYS.items():
        if not names.issuperset(key):
            continue
        sides = [_unique(f"{side}_rows", f"row_{side}", key) for side in ("first", "second")]
        connection.execute(
            f"INSERT INTO pairs SELECT a.row, b.row, '{told}' "
            f"FROM ({sides[0]}) AS a JOIN ({sides[1]}) AS b USING (key)"
        )
        row = connection.execute("SELECT count(*) FROM pairs WHERE matched_by = ?", [told])
        matched[told] = int((row.fetchone() or (0,))[0])
    return matched


def _unique(table: str, paired: str, key: dict[str, int | None]) -> str:
    cells = [
        f'round(TRY_CAST("{name}" AS DOUBLE), {digits if digits is not None else 15})'
        for name, digits in key.items()
    ]
    complete = " AND ".join(f'"{name}" IS NOT NULL' for name in key)
    return (
        f"SELECT [{', '.join(cells)}] AS key, min(row) AS row FROM {table} WHERE {complete} "
        f"AND row NOT IN (SELECT {paired} FROM pairs) GROUP BY 1 HAVING count(*) = 1"
    )
