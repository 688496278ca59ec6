"""What can be asked of the log: every field of a stored table under one name, with its SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import duckdb

from server.storage.layout import View, find_views
from server.storage.parts import quoted

Kind = Literal["number", "integer", "text", "time"]

_KINDS: dict[str, Kind] = {"FLOAT": "number", "BIGINT": "integer", "VARCHAR": "text"}
_FIXED = {
    "time": ("predicted_at", "time"),
    "id": ("id", "text"),
    "model": ("model_name", "text"),
    "version": ("model_version", "text"),
    "request": ("request_id", "text"),
    "instance": ("instance", "integer"),
    "ms": ("inference_ms", "number"),
}
# Outputs with a field of their own; what is no array beside them is a detail, such as the head.
_ANSWERS = ("label", "value", "probabilities", "prediction_set", "interval", "novelty")


@dataclass(frozen=True)
class Field:
    """One thing to filter, sort or draw by: its SQL over the stored table, and over the view.

    `any_sql` is of a number of things: whether it is more than none, where that is sooner known.
    """

    sql: str
    kind: Kind
    view_sql: str = ""
    any_sql: str = ""


@dataclass(frozen=True)
class Source:
    """One contract's predictions: the table that stores them, the view that names their parts.

    `novelty_names` are those of the flags in the table's column; empty where they are not known.
    """

    table: str
    view: View
    fields: Mapping[str, Field]
    class_names: Sequence[str]
    novelty_names: Sequence[str] = ()

    def named(self) -> Self:
        """Return the same over the view, which is slower, but names the parts of what it shows."""
        fields = {
            name: Field(field.view_sql or field.sql, field.kind)
            for name, field in self.fields.items()
        }
        return replace(self, table=self.view.name, fields=fields, novelty_names=())


def find_sources(
    cursor: duckdb.DuckDBPyConnection, novelty_names: Mapping[str, Sequence[str]]
) -> list[Source]:
    """Return what there is to ask, one source a contract.

    `novelty_names` are those of the served contracts, by the table of each.

    Fields are named `time`, `label` and so on, and with a prefix where a model chooses the names:
    `in.u` is an input, `p.QSO` a probability, `out.head` a detail. So any name can be told apart.
    """
    sources = [_source(cursor, view) for view in find_views(cursor)]
    return [replace(each, novelty_names=novelty_names.get(each.table, ())) for each in sources]


def _source(cursor: duckdb.DuckDBPyConnection, view: View) -> Source:
    table = view.name.replace("predictions_", "stored_")
    types = _types(cursor, table)
    class_names = _parts(cursor, view, "probabilities")
    fields = {name: Field(sql, kind) for name, (sql, kind) in _FIXED.items()}  # type: ignore[arg-type]  # literals of ours
    fields |= _answer_fields(view.outputs, types, class_names)
    fields |= {f"in.{name}": Field(quoted(name), _KINDS[types[name]]) for name in view.inputs}
    fields["warnings"] = Field("len(warnings)", "integer")
    return Source(table, view, fields, class_names)


def _answer_fields(
    outputs: Sequence[str], types: Mapping[str, str], class_names: Sequence[str]
) -> dict[str, Field]:
    fields = {}
    if "label" in outputs:
        fields["label"] = Field("label", "text")
    if "value" in outputs:
        fields["value"] = Field("value", "number")
    if class_names:
        # The predicted class is the one with the largest.
        parts = [f"probabilities.{quoted(name)}" for name in class_names]
        every = f"list_max([{', '.join(parts)}])"
        fields["p"] = Field("list_max(probabilities)", "number", every)
        for number, (name, part) in enumerate(zip(class_names, parts, strict=True), 1):
            fields[f"p.{name}"] = Field(f"probabilities[{number}]", "number", part)
    for name, field in (("prediction_set", "set"), ("novelty", "novelty")):
        if name in outputs:
            n_true = f"len(list_filter({name}, lambda is_in: is_in))"
            any_true = f"list_contains({name}, true)::INTEGER"
            fields[field] = Field(n_true, "integer", f"len({name})", any_true)
    for number, end in enumerate(("low", "high"), 1):
        if "interval" in outputs:
            part = f'"interval".{end}'
            fields[f"interval.{end}"] = Field(f'"interval"[{number}]', "number", part)
    details = [name for name in outputs if name not in _ANSWERS and types[name] in _KINDS]
    return fields | {f"out.{name}": Field(quoted(name), _KINDS[types[name]]) for name in details}


def _types(cursor: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    found = cursor.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? "
        "AND schema_name = 'main' AND database_name = current_database()",
        [table],
    )
    return dict(found.fetchall())


def _parts(cursor: duckdb.DuckDBPyConnection, view: View, column: str) -> list[str]:
    if column not in view.outputs:
        return []
    cursor.execute(f"SELECT {column} FROM {view.name} LIMIT 0")  # noqa: S608  # names of ours
    return [name for name, _ in (cursor.description or [])[0][1].children]
