"""Find what is wrong with the columns of a table, in the words of what is wrong with bodies."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from server.contract import Feature
from server.faults import MAX_ID_LENGTH, MAX_STRING_LENGTH, fault_of_value
from server.warned import rows_outside

# By type of a feature: the kinds of dtype that may hold it, and what they are called.
_KINDS = {
    "float32": ("fiu", "numbers"),
    "int64": ("iu", "whole numbers"),
    "string": ("OU", "text"),
}
_CALLED = {"b": "true and false", "f": "numbers with a fraction", "M": "times", "V": "bytes"}
_CALLED |= dict.fromkeys("iu", "whole numbers") | dict.fromkeys("OU", "text")


class ColumnFault(NamedTuple):
    """One thing wrong with a table: the row, from 0, or None where it is the whole column."""

    row: int | None
    name: str
    detail: str


class InvalidColumns(Exception):
    """A table whose values the model cannot take, with every fault, column by column."""

    def __init__(self, faults: Sequence[ColumnFault]) -> None:
        super().__init__(f"{len(faults)} faults in the columns")
        self.faults = list(faults)


def fault_of_column(
    feature: Feature, column: Any, missing: Any, *, is_given: bool
) -> ColumnFault | None:
    """Return what is wrong with the column as such, or None."""
    if not is_given:
        return None if feature.nullable else ColumnFault(None, feature.name, "missing")
    kinds, wanted = _KINDS[feature.type]
    if missing.all():  # a column of nothing may be of any type
        return None
    if column.dtype.kind in kinds and _is_of_text(column, missing):
        return None
    return ColumnFault(None, feature.name, f"expected {wanted}, the column holds {_called(column)}")


def faults_of(feature: Feature, column: Any, array: Any, missing: Any) -> list[ColumnFault]:
    """Return what is wrong with the values of a column of the right kind.

    `array` holds them as the model takes them.
    """
    wrong = np.zeros(len(missing), bool) if feature.nullable else missing
    if feature.type == "float32":
        wrong = wrong | np.isinf(array)
    elif feature.type == "int64" and column.dtype == np.uint64:
        wrong = wrong | (column >= np.uint64(2**63))
    elif feature.type == "string":
        wrong = wrong | _too_long(column, missing, MAX_STRING_LENGTH)
    if feature.closed:
        wrong = wrong.copy()
        wrong[rows_outside(feature, array)] = True
    return [
        ColumnFault(row, feature.name, _fault(feature, None if missing[row] else column[row]))
        for row in np.flatnonzero(wrong).tolist()
    ]


def faults_of_ids(column: Any, missing: Any) -> list[ColumnFault]:
    """Return what is wrong with the callers' ids: text, or whole numbers for their digits."""
    if missing.all() or column.dtype.kind in "iu":
        return []
    if column.dtype.kind not in "OU" or not _is_of_text(column, missing):
        return [ColumnFault(None, "id", f"expected text, the column holds {_called(column)}")]
    return [
        ColumnFault(row, "id", f"{len(column[row])} characters: at most {MAX_ID_LENGTH} are taken")
        for row in np.flatnonzero(_too_long(column, missing, MAX_ID_LENGTH)).tolist()
    ]


def _fault(feature: Feature, value: Any) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and np.isinf(plain):
        return f"{'-' if plain < 0 else ''}Infinity is not a finite number"
    return fault_of_value(feature, plain) or f"{plain} cannot be taken"


def _is_of_text(column: Any, missing: Any) -> bool:
    return column.dtype.kind != "O" or {*map(type, column[~missing])} <= {str}


def _called(column: Any) -> str:
    if column.dtype.kind == "O" and {*map(type, column)} - {str, type(None)}:
        return "lists, structs or bytes"
    return _CALLED.get(column.dtype.kind, str(column.dtype))


def _too_long(column: Any, missing: Any, most: int) -> Any:
    if missing.all():
        return np.zeros(len(missing), bool)
    lengths = (0 if lacks else len(text) for text, lacks in zip(column, missing, strict=True))
    return np.fromiter(lengths, np.int64, len(column)) > most
