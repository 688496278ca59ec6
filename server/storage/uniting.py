"""Put the views of all contracts into one, though two may call different things by one name."""

from collections.abc import Sequence

import duckdb
from duckdb.sqltypes import DuckDBPyType

from server.storage.parts import quoted

_NESTED = ("struct", "list", "array")


def unite(connection: duckdb.DuckDBPyConnection, views: Sequence[str]) -> str:
    """Return the SQL of one view over all of `views`.

    A column that is a number or text in one and has parts in another, or parts of other kinds, is
    JSON in all: DuckDB would give it the type with parts, and fail at the first row without.
    """
    types: dict[str, list[DuckDBPyType]] = {}
    names: dict[str, list[str]] = {}
    for view in views:
        relation = connection.view(view)
        names[view] = relation.columns
        for name, kind in zip(relation.columns, relation.types, strict=True):
            types.setdefault(name.lower(), []).append(kind)
    apart = {name for name, kinds in types.items() if not _go_together(kinds)}
    return " UNION ALL BY NAME ".join(
        f"SELECT {_select(names[view], apart)} FROM {view}"  # noqa: S608  # names of ours, or quoted
        for view in views
    )


def _select(names: Sequence[str], apart: set[str]) -> str:
    odd = [quoted(name) for name in names if name.lower() in apart]
    replaced = ", ".join(f"to_json({name}) AS {name}" for name in odd)
    return f"* REPLACE ({replaced})" if odd else "*"


def _go_together(kinds: Sequence[DuckDBPyType]) -> bool:
    """Tell whether one type holds the values of all."""
    ids = {kind.id for kind in kinds}
    if not ids & {*_NESTED}:
        return True
    parts: dict[str, list[DuckDBPyType]] = {}
    for kind in kinds if len(ids) == 1 else ():
        for name, part in kind.children:
            if isinstance(part, DuckDBPyType):
                parts.setdefault(name.lower(), []).append(part)
    return len(ids) == 1 and all(map(_go_together, parts.values()))
