"""How predictions lie in DuckDB: one typed table a contract, a view that names its parts."""

import contextlib
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

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
# Which file answered. Tables begun before there was this column are without it.
_SHA256 = {"model_sha256": "VARCHAR"}
_LAST = {
    "warnings": "STRUCT(feature VARCHAR, detail VARCHAR)[]",
    "inference_ms": "FLOAT",
}
TYPES = {"float32": "FLOAT", "int64": "BIGINT", "string": "VARCHAR", "bool": "BOOLEAN"}
# Answers that can be asked for once more; `digest` is of the key.
_KEPT_ANSWERS = (
    "CREATE TABLE IF NOT EXISTS idempotency_keys (key VARCHAR, digest UBIGINT, fingerprint BLOB, "
    "request_id VARCHAR, predicted_at TIMESTAMP, content_type VARCHAR, location VARCHAR, "
    "answer BLOB)"
)
# Of what was answered, and of what another model would have answered.
_VIEW_NAMES = {
    "predictions": re.compile("predictions_[0-9a-f]{8}"),
    "shadow": re.compile("shadow_[0-9a-f]{8}"),
}


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

    @property
    def shadow(self) -> Self:
        """Where those of the same contract are stored that were answered to nobody."""
        return replace(self, name=self.name.replace("stored_", "shadowed_"))


@dataclass(frozen=True)
class View:
    """What is read of one table: the names of its inputs and outputs, in column order."""

    name: str
    inputs: list[str]
    outputs: list[str]
    first: tuple[str, ...]
    last: tuple[str, ...] = tuple(_LAST)


def table_of(contract: Contract) -> Table:
    """Return the table of a contract; it may still have to be made."""
    columns = columns_of(contract)
    return Table(f"stored_{_digest(contract, columns)}", columns)


def _digest(contract: Contract, columns: Sequence[Column]) -> str:
    told = f"{_definition(columns)}; {select_shown(contract, columns)}"
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def _definition(columns: Sequence[Column]) -> str:
    return ", ".join(column.definition for column in columns)


def create_table(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Table:
    """Make the tables that `contract` needs, unless they are there, and the views over all tables.

    The tables' names are of a hash of their columns and parts: the same columns, the same tables; a
    contract with others gets tables beside them, and no row is touched. What a model says in arrays
    is stored in arrays, which cost a third of structs to append; the view gives the parts names.
    """
    table = table_of(contract)
    definition, select = _definition(table.columns), select_shown(contract, table.columns)
    digest = _digest(contract, table.columns)
    views = {table.name: f"predictions_{digest}", table.shadow.name: f"shadow_{digest}"}
    is_ours = bool(find_views(connection))
    # A log that was begun before there were labels has its predictions, and no more.
    has_labels = is_ours and _is_taken(connection, "given_labels")
    of_a_new_log = ("predictions", "shadow_predictions", "idempotency_keys", *TAKEN)
    names = ("labels", "judged") if is_ours else (*of_a_new_log, *views, *views.values())
    if not has_labels and _is_taken(connection, *names):
        raise LogUnusable(
            "the database belongs to another program, whose rows it would mix with ours: "
            "set SEXTANT_DATABASE to another file"
        )
    connection.begin()
    try:
        for name, view in views.items():
            connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({definition})")
            connection.execute(f"CREATE VIEW IF NOT EXISTS {view} AS SELECT {select} FROM {name}")  # noqa: S608  # names of ours, or quoted
        connection.execute(_KEPT_ANSWERS)
        answered = [each.name for each in find_views(connection)]
        shadows = [each.name for each in find_views(connection, "shadow")]
        for name, united in (("predictions", answered), ("shadow_predictions", shadows)):
            connection.execute(f"CREATE OR REPLACE VIEW {name} AS {unite(connection, united)}")
        create_truth(connection, answered)
        connection.commit()
    except duckdb.Error:
        # A transaction that failed is open until it is taken back; a failed commit has ended it.
        with contextlib.suppress(duckdb.Error):
            connection.rollback()
        raise
    return table


def columns_of(contract: Contract) -> list[Column]:
    """Return what is stored of a prediction of this contract."""
    return [
        *(Column(name, kind) for name, kind in {**_FIRST, **_SHA256}.items()),
        *(Column(feature.name, TYPES[feature.type]) for feature in contract.features),
        *(_output_column(output) for output in contract.outputs),
        *(Column(name, kind) for name, kind in _LAST.items()),
    ]


def select_shown(contract: Contract, columns: Sequence[Column]) -> str:
    """Return the SQL of the columns as they are read: with the names of their parts."""
    shown = {output.name: show(contract, output) for output in contract.outputs}
    return ", ".join(
        f"{shown.get(column.name, quoted(column.name))} AS {quoted(column.name)}"
        for column in columns
    )


def find_views(
    connection: duckdb.DuckDBPyConnection, kind: Literal["predictions", "shadow"] = "predictions"
) -> list[View]:
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
        if _VIEW_NAMES[kind].fullmatch(name)
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
    known = {*_FIRST, *_SHA256}
    first = tuple(column for column in columns[: len(known)] if column in known)
    middle = columns[len(first) : -len(_LAST)]
    split = next(i for i, column in enumerate(middle) if column in ("label", "value"))
    return View(name, middle[:split], middle[split:], first)


def _output_column(output: Output) -> Column:
    width = math.prod(output.shape) if output.shape else None
    return Column(output.name, TYPES[output.type], width)
