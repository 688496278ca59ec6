"""Write the values of any query's result as JSON and CSV can hold them, in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.storage.parts import literal, quoted

_WHOLE = {"tinyint", "smallint", "integer", "bigint", "hugeint"}
_WHOLE |= {"utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"}
_PLAIN = _WHOLE | {"boolean", "decimal"}
# Longest text of one value.
_MAX_BYTES = 1_000_000
# With two colons and a Z, as JSON has its times elsewhere here.
ISO = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True)
class Column:
    """One column of a result."""

    name: str
    type: Any

    @property
    def kind(self) -> str:
        """The name of the type, as DuckDB writes it."""
        return str(self.type)

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.type.id in _WHOLE | {"float", "double", "decimal"}


def copy(source: str, columns: Sequence[Column], form: str, path: Path, most: int) -> str:
    """Return the statement that writes at most `most` rows of `source`, FROM and all, to `path`."""
    values = _VALUES[form](columns)
    names = [quoted(column.name) for column in columns]
    selected = ", ".join(f"{v} AS {n}" for v, n in zip(values, names, strict=True))
    options = f"{_OPTIONS[form]}, USE_TMP_FILE false"
    return f"COPY (SELECT {selected} {source} LIMIT {most}) TO {literal(str(path))} ({options})"


def json_columns(columns: Sequence[Column]) -> list[str]:
    """Return an expression a column, of a type that DuckDB's JSON writes as JSON has it."""
    return [as_json(_bounded(column), column.type) for column in columns]


def _csv_columns(columns: Sequence[Column]) -> list[str]:
    """Return an expression a column: nested values become JSON, the others stay what they are."""
    return [
        f"to_json({as_json(quoted(column.name), column.type)})"
        if column.type.id in ("list", "array", "struct")
        else _bounded(column)
        for column in columns
    ]


def _typed_columns(columns: Sequence[Column]) -> list[str]:
    """Return an expression a column, of its own type."""
    return [_bounded(column) for column in columns]


def _bounded(column: Column) -> str:
    # DuckDB writes 2,048 rows before it looks whether it should go on.
    value = quoted(column.name)
    if column.type.id not in ("varchar", "blob", "bit", "bignum"):
        return value
    told = f"a value is longer than {_MAX_BYTES:,} bytes"
    is_long = f"octet_length({_bytes_of(column)}) > {_MAX_BYTES}"
    return f"CASE WHEN {is_long} THEN error('{told}') ELSE {value} END"


def _bytes_of(column: Column) -> str:
    value = quoted(column.name)
    return value if column.type.id == "blob" else f"encode({value}::VARCHAR)"


def as_json(value: str, kind: Any) -> str:
    """Return an expression for `value`, of the type `kind`, that DuckDB writes as JSON has it."""
    if kind.id in _PLAIN:
        return value
    if kind.id == "double":
        return f"CASE WHEN isfinite({value}) THEN {value} END"
    if kind.id == "float":
        # As a double it would have sixteen digits; its own text has the few it was stored by.
        return f"CASE WHEN isfinite({value}) THEN {value}::VARCHAR::JSON END"
    if kind.id == "timestamp":
        return f"CASE WHEN isfinite({value}) THEN strftime({value}, '{ISO}') END"
    if kind.id in ("list", "array"):
        item = as_json("item", dict(kind.children)["child"])
        return f"list_transform({value}::{_list_of(kind)}, lambda item: {item})"
    if kind.id == "struct":
        return _struct(value, kind)
    return f"{value}::VARCHAR"


def _list_of(kind: Any) -> str:
    return f"{dict(kind.children)['child']}[]"


def _struct(value: str, kind: Any) -> str:
    fields = ", ".join(
        f"{quoted(name)} := {as_json(f'struct_extract({value}, {literal(name)})', child)}"
        for name, child in kind.children
    )
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({fields}) END"


_VALUES = {"csv": _csv_columns, "ndjson": json_columns, "parquet": _typed_columns}
_OPTIONS = {
    "csv": "FORMAT csv, HEADER",
    "ndjson": "FORMAT json",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}
