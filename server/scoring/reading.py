"""Read one part of a table as the model takes it, and tell the rows it cannot take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import msgspec
import numpy as np

from server.column_faults import ColumnFault, InvalidColumns
from server.column_texts import from_texts
from server.column_tokens import from_tokens
from server.columns import Columns, read_columns
from server.contract import Feature
from server.scoring.tables import Table
from server.storage.parts import quoted

_TEXTS = ("VARCHAR", "UUID", "ENUM")
_WHOLE = ("INT", "HUGEINT")


@dataclass(frozen=True)
class Part:
    """The rows of a part that can be answered, which of the part they are, and the other rows."""

    columns: Columns
    is_taken: Any
    faults: Sequence[ColumnFault]


def read_part(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    number: int,
    features: Sequence[Feature],
) -> Part:
    """Read a part; faults of the whole column are raised, those of rows are told beside the rest.

    Raises
    ------
    InvalidColumns
        If a column lacks, or holds what the model cannot take in any row.
    """
    given, n_rows = _fetch(connection, table, number, features)
    given, faults = _typed(table, given, features)
    while True:
        is_taken = np.ones(n_rows, bool)
        is_taken[[fault.row for fault in faults if fault.row is not None]] = False
        rows = np.flatnonzero(is_taken)
        kept = {name: column[is_taken] for name, column in given.items()} if faults else given
        try:
            columns = read_columns(kept, len(rows), features)
        except InvalidColumns as error:
            if any(fault.row is None for fault in error.faults):
                raise
            faults += [fault._replace(row=int(rows[fault.row or 0])) for fault in error.faults]
        else:
            return Part(columns, is_taken, faults)


def _fetch(
    connection: duckdb.DuckDBPyConnection, table: Table, number: int, features: Sequence[Feature]
) -> tuple[dict[str, Any], int]:
    texts = [f.name for f in features if f.type == "string"] + ["id"]
    wanted = [name for name in (*(f.name for f in features), "id") if name in table.types]
    selected = "".join(
        f", {_as_fetched(name, table.types[name], is_text=name in texts)} AS c{k}"
        for k, name in enumerate(wanted)
    )
    # The constant tells how many rows there are, where no column does.
    found = connection.execute(
        f"SELECT 0::TINYINT AS n{selected} {table.of_part(number)}"
    )  # quoted
    arrays = found.fetchnumpy()
    return {name: arrays[f"c{k}"] for k, name in enumerate(wanted)}, len(arrays["n"])


def _as_fetched(name: str, kind: str, *, is_text: bool) -> str:
    # What numpy has no text for is made text here: UUID and ENUM, and ids that are whole numbers.
    is_whole = name == "id" and any(end in kind for end in _WHOLE) and kind.isalnum()
    is_cast = is_text and (kind.startswith(_TEXTS) or is_whole)
    return f"{quoted(name)}::VARCHAR" if is_cast else quoted(name)


def _typed(
    table: Table, given: Mapping[str, Any], features: Sequence[Feature]
) -> tuple[dict[str, Any], list[ColumnFault]]:
    """Return the columns as what they are written as, where the file holds nothing but text."""
    read = {"csv": from_texts, "ndjson": from_tokens}.get(table.form)
    if read is None:
        return dict(given), []
    typed: dict[str, Any] = {}
    faults: list[ColumnFault] = []
    for feature in [*features, _ID]:
        if feature.name in given:
            typed[feature.name], found = read(feature, _with_none(given[feature.name]))
            faults += found
    return typed, faults


def _with_none(column: Any) -> Any:
    values = np.ma.getdata(column).copy()
    values[np.ma.getmaskarray(column)] = None
    return values


# The caller's id, as if it were an input.
_ID = msgspec.convert(
    {
        **{"name": "id", "type": "string", "unit": "", "meaning": "", "nullable": True},
        **{"range": None, "domain": None, "categories": None, "closed": False},
    },
    Feature,
)
