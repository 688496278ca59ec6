"""Turn the columns of a table into what the model takes, checked as bodies are checked.

No Python object is made for each number; POST bodies that are tables and ``score`` read through it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from server.column_faults import (
    ColumnFault,
    InvalidColumns,
    fault_of_column,
    faults_of,
    faults_of_ids,
)
from server.contract import Feature
from server.payload import Instances
from server.warned import Warned, rows_outside, warning


@dataclass(frozen=True)
class Columns:
    """The rows of a table as the model takes them.

    `arrays` holds one ndarray of shape (n_rows,) a feature, a missing value is NaN; `sent` the
    same before it became float32; `ids` an ndarray of str or None, or None where the table has no
    such column; `warned`, by feature, the rows whose value is answered with a warning.
    """

    n_rows: int
    arrays: Mapping[str, Any]
    sent: Mapping[str, Any]
    ids: Any
    warned: Mapping[str, Any]
    features: Sequence[Feature]

    def warnings(self) -> dict[int, list[Warned]]:
        """Return what is warned of, by row; a row that is like the others is not there."""
        found: dict[int, list[Warned]] = {}
        for feature in self.features:
            rows = self.warned.get(feature.name, ())
            values = self.sent[feature.name][rows].tolist() if len(rows) else ()
            for row, value in zip(rows, values, strict=True):
                found.setdefault(int(row), []).append(warning(feature, value))
        return found

    def to_instances(self) -> Instances:
        """Return the same in the form in which the rows of a body are handed on."""
        by_row = self.warnings()
        return Instances(
            values={name: _with_none(array) for name, array in self.sent.items()},
            arrays=self.arrays,
            ids=[None] * self.n_rows if self.ids is None else self.ids.tolist(),
            warnings=[by_row.get(row, []) for row in range(self.n_rows)],
            is_single=False,
            root="",
        )


def read_columns(given: Mapping[str, Any], n_rows: int, features: Sequence[Feature]) -> Columns:
    """Take the columns that the features ask for, and `id`; others are left alone.

    Parameters
    ----------
    given : mapping of str to ndarray or masked array of shape (n_rows,)
        Numbers of any width, and text as objects. What is missing is masked, None, or NaN: tables
        of numbers have no other way to say it.

    Raises
    ------
    InvalidColumns
        With every fault, in the words of those of bodies.
    """
    arrays: dict[str, Any] = {}
    sent: dict[str, Any] = {}
    warned: dict[str, Any] = {}
    faults: list[ColumnFault] = []
    for feature in features:
        column, missing = _split(given.get(feature.name), n_rows)
        if fault := fault_of_column(feature, column, missing, is_given=feature.name in given):
            faults.append(fault)
            continue
        array = _to_array(feature, column, missing)
        if found := faults_of(feature, column, array, missing):
            faults += found
            continue
        arrays[feature.name] = array
        sent[feature.name] = _blank(column, missing) if missing.any() else column
        if len(rows := rows_outside(feature, array)):
            warned[feature.name] = rows
    ids, missing = _split(given.get("id"), n_rows)
    faults += faults_of_ids(ids, missing)
    if faults:
        raise InvalidColumns(faults)
    return Columns(n_rows, arrays, sent, _to_ids(ids, missing), warned, features)


def _split(given: Any, n_rows: int) -> tuple[Any, Any]:
    """Return the values, and which of them are missing."""
    if given is None:
        return np.full(n_rows, np.nan, np.float32), np.ones(n_rows, bool)
    column, missing = np.ma.getdata(given), np.ma.getmaskarray(given)
    if column.dtype.kind == "f":
        missing = missing | np.isnan(column)
    elif column.dtype.kind == "O":
        missing = missing | np.array([value is None for value in column], bool)
    return column, missing


def _to_array(feature: Feature, column: Any, missing: Any) -> Any:
    if feature.type == "string":
        return column.astype(object, copy=False)
    if missing.all():
        column = np.zeros(len(missing), np.float32)
    if feature.type == "int64":
        return column.astype(np.int64, copy=False)
    with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite
        array = column.astype(np.float32, copy=False)
    return np.where(missing, np.float32("nan"), array) if missing.any() else array


def _to_ids(column: Any, missing: Any) -> Any:
    if missing.all():
        return None
    # Whole numbers are exact here, which those of JSON are not: their digits are the id.
    texts = (column if column.dtype.kind == "O" else column.astype(str)).astype(object)
    return np.where(missing, None, texts)


def _blank(column: Any, missing: Any) -> Any:
    if missing.all():
        return np.full(len(missing), np.nan, np.float32)
    wide = column if column.dtype.kind == "f" else column.astype(np.float64)
    return np.where(missing, wide.dtype.type("nan"), wide)


def _with_none(array: Any) -> Any:
    if array.dtype.kind != "f" or not (missing := np.isnan(array)).any():
        return array
    return np.where(missing, None, array.astype(object))
