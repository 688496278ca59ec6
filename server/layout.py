"""How predictions lie in DuckDB: one typed table a contract, one view over all, newest first."""

import contextlib
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import duckdb
import numpy as np

from server.contract import Contract
from server.database import LogUnusable

_FIRST = {
    "prediction_id": "UUID",
    "predicted_at": "TIMESTAMP",
    "request_id": "VARCHAR",
    "instance": "INTEGER",
    "id": "VARCHAR",
    "model_name": "VARCHAR",
    "model_version": "VARCHAR",
}
_LAST = {
    "warnings": "STRUCT(feature VARCHAR, detail VARCHAR)[]",
    "inference_ms": "FLOAT",
}
_TYPES = {"float32": "FLOAT", "int64": "BIGINT", "string": "VARCHAR"}
_TABLE_NAME = re.compile("predictions_[0-9a-f]{8}")


@dataclass(frozen=True)
class Table:
    """One table of predictions: the names of its inputs and outputs, in column order."""

    name: str
    inputs: list[str]
    outputs: list[str]


def create_table(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Table:
    """Make the table that `contract` needs, unless it is there, and the view over all tables.

    The table's name is a hash of its columns: the same columns, the same table; a contract with
    others gets a table beside it, and no row is touched.
    """
    columns = {
        **_FIRST,
        **{feature.name: _TYPES[feature.type] for feature in contract.features},
        **{name: _output_type(contract, name) for name in contract.output_names},
        **_LAST,
    }
    definition = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    table = f"predictions_{hashlib.sha256(definition.encode()).hexdigest()[:8]}"
    if not find_tables(connection) and _is_taken(connection, "predictions", table):
        raise LogUnusable(
            "the database belongs to another program, whose predictions it would mix with ours: "
            "set SEXTANT_DATABASE to another file"
        )
    connection.begin()
    try:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({definition})")
        selects = [f"SELECT * FROM {other.name}" for other in find_tables(connection)]  # noqa: S608  # names of ours
        connection.execute(
            f"CREATE OR REPLACE VIEW predictions AS {' UNION ALL BY NAME '.join(selects)}"
        )
        connection.commit()
    except duckdb.Error:
        # A transaction that failed is open until it is taken back; a failed commit has ended it.
        with contextlib.suppress(duckdb.Error):
            connection.rollback()
        raise
    return Table(table, [f.name for f in contract.features], contract.output_names)


def find_tables(connection: duckdb.DuckDBPyConnection) -> list[Table]:
    """Return every table of predictions in the database, and no table of another program."""
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE schema_name = 'main' AND database_name = current_database() "
        "AND table_name IN (SELECT table_name FROM duckdb_tables()) "
        "ORDER BY table_name, column_index"
    ).fetchall():
        found.setdefault(table, []).append(column)
    return [
        _table(name, columns)
        for name, columns in found.items()
        if _TABLE_NAME.fullmatch(name)
        and columns[: len(_FIRST)] == list(_FIRST)
        and columns[-len(_LAST) :] == list(_LAST)
    ]


def read_newest(
    cursor: duckdb.DuckDBPyConnection, limit: int, before: UUID | None
) -> list[dict[str, Any]]:
    """Return at most `limit` predictions, newest first, all older than the one `before` names.

    Each has its fixed columns under their names, `inputs` and `outputs` as dicts.
    """
    found = [
        row for table in find_tables(cursor) for row in _newest_of(cursor, table, limit, before)
    ]
    return sorted(found, key=lambda row: row["prediction_id"], reverse=True)[:limit]


def quoted(name: str) -> str:
    """Return `name` as an SQL identifier, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def _is_taken(connection: duckdb.DuckDBPyConnection, *names: str) -> bool:
    query = (
        "SELECT count(*) FROM information_schema.tables "
        "WHERE table_schema = 'main' AND list_contains(?, table_name)"
    )
    return connection.execute(query, [list(names)]).fetchone() != (0,)


def _table(name: str, columns: list[str]) -> Table:
    # A contract may not call a feature label or value, so the outputs begin at the first of them.
    middle = columns[len(_FIRST) : -len(_LAST)]
    split = next(i for i, column in enumerate(middle) if column in ("label", "value"))
    return Table(name, middle[:split], middle[split:])


def _output_type(contract: Contract, name: str) -> str:
    output: Any = next(output for output in contract.outputs if output.name == name)
    if output.role == "probabilities":
        fields = ", ".join(f"{quoted(name)} FLOAT" for name in contract.class_names)
        return f"STRUCT({fields})"
    return _TYPES[output.type]


def _newest_of(
    cursor: duckdb.DuckDBPyConnection, table: Table, limit: int, before: UUID | None
) -> list[dict[str, Any]]:
    older = "WHERE prediction_id < $before" if before else ""
    cursor.execute(
        f"SELECT * FROM {table.name} {older} ORDER BY prediction_id DESC LIMIT $limit",  # noqa: S608  # the table's name is ours
        {"limit": limit} | ({"before": before} if before else {}),
    )
    names = [column[0] for column in cursor.description or ()]
    found = []
    for values in cursor.fetchall():
        row = dict(zip(names, map(_shortest, values), strict=True))
        inputs = {name: row.pop(name) for name in table.inputs}
        outputs = {name: row.pop(name) for name in table.outputs}
        found.append({**row, "inputs": inputs, "outputs": outputs})
    return found


def _shortest(value: Any) -> Any:
    # A FLOAT comes back as a Python float of sixteen digits: say it in the few it was stored by.
    if isinstance(value, float):
        return float(str(np.float32(value)))
    if isinstance(value, dict):
        return {key: _shortest(item) for key, item in value.items()}
    return value
