"""The columns of a view as texts have them: without structs, or as members of a JSON object."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from server.sql.formats import ISO, as_json
from server.storage.parts import quoted

# ISO 8601 with its zone, which a TIMESTAMP does not say.
TIME = f"strftime(predicted_at, '{ISO}')"


@dataclass(frozen=True)
class FlatColumn:
    """One flat column: its name, its SQL, and what is in it."""

    name: str
    sql: str
    is_text: bool
    is_nested: bool


def flatten(cursor: duckdb.DuckDBPyConnection, view: str, names: Sequence[str]) -> list[FlatColumn]:
    """Return a column for each part of a struct, named by its path: `contributions.u-g.QSO`.

    A name that is taken, as that of an input called `probabilities.QSO`, gets an underscore.
    """
    cursor.execute(f"SELECT {', '.join(map(quoted, names))} FROM {view} LIMIT 0")  # noqa: S608  # names of ours, or quoted
    taken = set(names)
    found = []
    for name, kind, *_ in cursor.description or ():
        for path, sql, leaf in _leaves(name, quoted(name), kind):
            free = path
            while free in taken and path != name:
                free += "_"
            taken.add(free)
            is_text = leaf == "varchar"
            found.append(FlatColumn(free, sql, is_text, is_nested=leaf == "list"))
    return found


def _leaves(path: str, sql: str, kind: Any) -> Iterator[tuple[str, str, str]]:
    if kind.id != "struct":
        yield path, sql, kind.id
        return
    for name, inner in kind.children:
        yield from _leaves(f"{path}.{name}", f"{sql}.{quoted(name)}", inner)


def to_json_members(cursor: duckdb.DuckDBPyConnection, view: str, names: Sequence[str]) -> str:
    """Return the arguments of a struct_pack whose JSON has every value as JSON can hold it."""
    cursor.execute(f"SELECT {', '.join(map(quoted, names))} FROM {view} LIMIT 0")  # noqa: S608  # names of ours, or quoted
    return ", ".join(
        f"{quoted(name)} := {as_json(quoted(name), kind)}"
        for name, kind, *_ in cursor.description or ()
    )
