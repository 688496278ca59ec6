"""Erase predictions by their id or their caller's, with all that the log holds of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import duckdb

from server.keeping.copying import table_names
from server.keeping.logs import Log, checkpoint, stored_tables
from server.keeping.old_labels import LABELS
from server.storage.parts import quoted

# Answers that are kept so that a request sent again is answered alike; each names its predictions.
_KEPT_ANSWERS = "idempotency_keys"
# Predictions erased in one transaction.
_PIECE = 500


@dataclass(frozen=True)
class Person:
    """Whose predictions: those under the id that a caller gave, or one prediction."""

    caller_id: str | None = None
    prediction_id: UUID | None = None

    def __str__(self) -> str:
        return f"id {self.caller_id!r}" if self.caller_id is not None else str(self.prediction_id)


@dataclass
class Erased:
    """The predictions that are gone, and how many rows of which table."""

    prediction_ids: list[UUID] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{table}: {rows:,} rows" for table, rows in self.rows.items())
        return f"erased {len(self.prediction_ids):,} predictions ({told or 'nothing is stored'})"

    def count(self, table: str, rows: int) -> None:
        """Add to the rows of a table."""
        if rows:
            self.rows[table] = self.rows.get(table, 0) + rows


def erase(log: Log, person: Person) -> Erased:
    """Erase the predictions of `person`, their labels, and whatever else names them.

    A label that names the caller's id of an erased prediction goes with it, unless another
    prediction bears that id. Repeating it erases what is left of one that was interrupted.
    """
    with log.cursor() as cursor:
        found = _find(cursor, person)
        tables = _tables_of_predictions(cursor)
        has = set(table_names(cursor))
    erased = Erased(sorted(found))
    for piece in _pieces(erased.prediction_ids):
        for table, rows in log.change(partial(_erase, tables=tables, has=has, ids=piece)).items():
            erased.count(table, rows)
    if LABELS in has:
        erased.count(LABELS, _erase_labels(log, person, found))
    log.change(checkpoint)
    return erased


def _find(cursor: duckdb.DuckDBPyConnection, person: Person) -> dict[UUID, str | None]:
    column, value = ("id", person.caller_id)
    if person.prediction_id:
        column, value = "prediction_id", str(person.prediction_id)
    found: dict[UUID, str | None] = {}
    for table in stored_tables(cursor):
        cursor.execute(f"SELECT prediction_id, id FROM {table} WHERE {column} = ?", [value])  # noqa: S608  # names of ours
        found |= dict(cursor.fetchall())
    return found


def _tables_of_predictions(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    cursor.execute(
        "SELECT c.table_name FROM duckdb_columns() c JOIN duckdb_tables() t "
        "ON c.database_oid = t.database_oid AND c.table_oid = t.table_oid "
        "WHERE column_name = 'prediction_id' AND c.database_name = current_database()"
    )
    return [name for (name,) in cursor.fetchall()]


def _pieces(ids: Sequence[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), _PIECE):
        yield list(ids[start : start + _PIECE])


def _erase(
    writer: duckdb.DuckDBPyConnection, tables: Sequence[str], has: set[str], ids: list[UUID]
) -> dict[str, int]:
    rows = {}
    if _KEPT_ANSWERS in has:
        rows[_KEPT_ANSWERS] = _erase_answers(writer, ids)
    return rows | {table: _delete(writer, table, ids) for table in tables}


def _delete(writer: duckdb.DuckDBPyConnection, table: str, ids: list[UUID]) -> int:
    # The bounds let DuckDB skip what was stored at other times.
    return _count(
        writer,
        f"DELETE FROM {quoted(table)} WHERE prediction_id BETWEEN $least AND $most "  # noqa: S608  # quoted
        "AND prediction_id IN (SELECT unnest($ids::UUID[]))",
        {"ids": ids, "least": min(ids), "most": max(ids)},
    )


def _erase_answers(writer: duckdb.DuckDBPyConnection, ids: list[UUID]) -> int:
    # Whatever its columns are: an answer has its predictions' ids in it, and nothing else has.
    return _count(
        writer,
        f"DELETE FROM {_KEPT_ANSWERS} AS kept WHERE EXISTS (SELECT 1 FROM "  # noqa: S608  # a name of ours
        "(SELECT unnest($ids::VARCHAR[]) AS id) WHERE contains(kept::VARCHAR, id))",
        {"ids": list(map(str, ids))},
    )


def _erase_labels(log: Log, person: Person, found: dict[UUID, str | None]) -> int:
    rows = 0
    if person.prediction_id:  # one that is not here may have been labelled
        rows += log.change(partial(_delete, table=LABELS, ids=[person.prediction_id]))
    for caller_id in {*found.values(), person.caller_id}:
        if caller_id is None:
            continue
        with log.cursor() as cursor:
            query = "SELECT count(*) FROM predictions WHERE id = ?"
            is_borne = cursor.execute(query, [caller_id]).fetchone() != (0,)
        if not is_borne:
            rows += log.change(partial(_delete_labels, caller_id=caller_id))
    return rows


def _delete_labels(writer: duckdb.DuckDBPyConnection, caller_id: str) -> int:
    return _count(writer, f"DELETE FROM {LABELS} WHERE id = $id", {"id": caller_id})  # noqa: S608  # a name of ours


def _count(writer: duckdb.DuckDBPyConnection, statement: str, values: dict[str, Any]) -> int:
    (rows,) = writer.execute(statement, values).fetchone() or (0,)
    return int(rows)
