"""How predictions lie in DuckDB: one typed table a contract, a view that names its parts."""

import contextlib
import hashlib
import math
import re
from dataclasses import dataclass

import duckdb

from server.contract import Contract, Output
from server.storage.database import LogUnusable
from server.storage.parts import quoted, show
from server.storage.truth import TAKEN, create_truth
from server.storage.uniting import unite

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
_TYPES = {"float32": "FLOAT", "int64": "BIGINT", "string": "VARCHAR", "bool": "BOOLEAN"}
# Answers that can be asked for once more; `digest` is of the key.
_KEPT_ANSWERS = (
    "CREATE TABLE IF NOT EXISTS idempotency_keys (key VARCHAR, digest UBIGINT, fingerprint BLOB, "
    "request_id VARCHAR, predicted_at TIMESTAMP, content_type VARCHAR, location VARCHAR, "
    "answer BLOB)"
)
_VIEW_NAME = re.compile("predictions_[0-9a-f]{8}")


@dataclass(frozen=True)
class Column:
    """One column of a table: the type of a cell, or of `width` elements where it is an array."""

    name: str
    type: str
    width: int | None = None

    @property
    def definition(self) -> str:
        """The column as CREATE TABLE has it."""
        array = "" if self.width is None else f"[{self.width}]"
        return f"{quoted(self.name)} {self.type}{array}"


@dataclass(frozen=True)
class Table:
    """Where the predictions of one contract are stored."""

    name: str
    columns: list[Column]


@dataclass(frozen=True)
class View:
    """What is read of one table: the names of its inputs and outputs, in column order."""

    name: str
    inputs: list[str]
    outputs: list[str]
    first: tuple[str, ...] = tuple(_FIRST)
    last: tuple[str, ...] = tuple(_LAST)


def create_table(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Table:
    """Make the table that `contract` needs, unless it is there, and the views over all tables.

    The table's name is a hash of its columns and their parts: the same columns, the same table; a
    contract with others gets a table beside it, and no row is touched. What a model says in arrays
    is stored in arrays, which cost a third of structs to append; the view gives the parts names.
    """
    columns = [
        *(Column(name, kind) for name, kind in _FIRST.items()),
        *(Column(feature.name, _TYPES[feature.type]) for feature in contract.features),
        *(_output_column(output) for output in contract.outputs),
        *(Column(name, kind) for name, kind in _LAST.items()),
    ]
    definition = ", ".join(column.definition for column in columns)
    shown = {output.name: show(contract, output) for output in contract.outputs}
    select = ", ".join(
        f"{shown.get(column.name, quoted(column.name))} AS {quoted(column.name)}"
        for column in columns
    )
    digest = hashlib.sha256(f"{definition}; {select}".encode()).hexdigest()[:8]
    table, view = f"stored_{digest}", f"predictions_{digest}"
    is_ours = bool(find_views(connection))
    # A log that was begun before there were labels has its predictions, and no more.
    has_labels = is_ours and _is_taken(connection, "given_labels")
    of_a_new_log = ("predictions", "idempotency_keys", table, view, *TAKEN)
    names = ("labels", "judged") if is_ours else of_a_new_log
    if not has_labels and _is_taken(connection, *names):
        raise LogUnusable(
            "the database belongs to another program, whose rows it would mix with ours: "
            "set SEXTANT_DATABASE to another file"
        )
    connection.begin()
    try:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({definition})")
        connection.execute(_KEPT_ANSWERS)
        connection.execute(f"CREATE VIEW IF NOT EXISTS {view} AS SELECT {select} FROM {table}")  # noqa: S608  # names of ours, or quoted
        views = [each.name for each in find_views(connection)]
        connection.execute(f"CREATE OR REPLACE VIEW predictions AS {unite(connection, views)}")
        create_truth(connection, views)
        connection.commit()
    except duckdb.Error:
        # A transaction that failed is open until it is taken back; a failed commit has ended it.
        with contextlib.suppress(duckdb.Error):
            connection.rollback()
        raise
    return Table(table, columns)


def find_views(connection: duckdb.DuckDBPyConnection) -> list[View]:
    """Return what there is to read of every contract, and nothing of another program."""
    found: dict[str, list[str]] = {}
    for name, column in connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE schema_name = 'main' AND database_name = current_database() "
        "ORDER BY table_name, column_index"
    ).fetchall():
        found.setdefault(name, []).append(column)
    return [
        _view(name, columns)
        for name, columns in found.items()
        if _VIEW_NAME.fullmatch(name)
        and columns[: len(_FIRST)] == list(_FIRST)
        and columns[-len(_LAST) :] == list(_LAST)
    ]


def _is_taken(connection: duckdb.DuckDBPyConnection, *names: str) -> bool:
    query = (
        "SELECT count(*) FROM information_schema.tables "
        "WHERE table_schema = 'main' AND list_contains(?, table_name)"
    )
    return connection.execute(query, [list(names)]).fetchone() != (0,)


def _view(name: str, columns: list[str]) -> View:
    # A contract may not call a feature label or value, so the outputs begin at the first of them.
    middle = columns[len(_FIRST) : -len(_LAST)]
    split = next(i for i, column in enumerate(middle) if column in ("label", "value"))
    return View(name, middle[:split], middle[split:])


def _output_column(output: Output) -> Column:
    width = math.prod(output.shape) if output.shape else None
    return Column(output.name, _TYPES[output.type], width)
