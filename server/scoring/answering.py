"""Answer the rows of a part, and lay the answers beside the columns they came with."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb
import msgspec
import numpy as np

from server.column_faults import ColumnFault
from server.columns import Columns, read_columns
from server.contract import Contract
from server.model import Model
from server.scoring.reading import Part
from server.storage.layout import TYPES
from server.storage.parts import choices, literal, quoted, show
from server.storage.reading import AT_LENGTH

# Rows in one run of the graph: what they need stays in the caches of a core.
_RUN_ROWS = 5_000
# Different choices that are worth a list each in the statement.
_MOST_CHOICES = 500
_JSON = '[{"feature":"VARCHAR","detail":"VARCHAR"}]'


@dataclass(frozen=True)
class Answered:
    """The rows of a part that have an answer, what it is, which they are; what the others lack."""

    columns: Columns
    outputs: Mapping[str, Any]
    is_taken: Any
    faults: Sequence[ColumnFault]


def answer(model: Model, part: Part, *, at_length: bool) -> Answered:
    """Answer the rows of a part; a session runs on one core, so each core calls this.

    Rows to which the model has no finite answer are taken out, and told among the faults.
    """
    outputs, rows = _predict(model, part.columns, at_length=at_length)
    if not rows:
        return Answered(part.columns, outputs, part.is_taken, part.faults)
    columns = part.columns
    is_kept = np.ones(columns.n_rows, bool)
    is_kept[rows] = False
    given = {name: array[is_kept] for name, array in columns.sent.items()}
    if columns.ids is not None:
        given["id"] = columns.ids[is_kept]
    in_part = np.flatnonzero(part.is_taken)[rows]
    is_taken = part.is_taken.copy()
    is_taken[in_part] = False
    told = "the model has no finite answer to these values"
    return Answered(
        read_columns(given, int(is_kept.sum()), columns.features),
        {name: array[is_kept] for name, array in outputs.items()},
        is_taken,
        [*part.faults, *(ColumnFault(row, "", told) for row in in_part.tolist())],
    )


def _predict(
    model: Model, columns: Columns, *, at_length: bool
) -> tuple[dict[str, Any], list[int]]:
    """Return what the model says of all rows, by output, and the rows it has no answer to."""
    names = [
        each.name for each in model.contract.outputs if at_length or each.role not in AT_LENGTH
    ]
    runs: list[dict[str, Any]] = []
    rows: set[int] = set()
    for first in range(0, max(columns.n_rows, 1), _RUN_ROWS):
        piece = {name: array[first : first + _RUN_ROWS] for name, array in columns.arrays.items()}
        said = model.predict(piece, names=names)
        runs.append(said.outputs)
        rows.update(first + row for row in said.not_finite)
    return {name: np.concatenate([run[name] for run in runs]) for name in names}, sorted(rows)


def register(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    said: Answered,
    prediction_ids: Sequence[Any] | None,
) -> str:
    """Hand the answers to DuckDB and return the SELECT of them, named as the log names them."""
    columns, outputs = said.columns, said.outputs
    arrays: dict[str, Any] = {"n": np.zeros(columns.n_rows, np.int8)}
    inner, outer = [], []
    if prediction_ids is not None:
        arrays["prediction_id"] = np.array([str(each) for each in prediction_ids], dtype=object)
        inner.append("prediction_id")
        outer.append("prediction_id::UUID AS prediction_id")
    for number, output in enumerate(each for each in contract.outputs if each.name in outputs):
        array, shown = outputs[output.name], show(contract, output)
        if (names := choices(contract, output)) and (few := _few(array)):
            arrays[f"o{number}"], shown = few.numbers, few.select(names, output.name)
            value = f"o{number}"
        elif output.shape:
            flat = np.ascontiguousarray(array.reshape(columns.n_rows, math.prod(output.shape)).T)
            parts = {f"o{number}_{part}": values for part, values in enumerate(flat)}
            arrays |= parts
            value = f"[{', '.join(parts)}]::{TYPES[output.type]}[{len(parts)}]"
        else:
            arrays[f"o{number}"] = array
            value = f"o{number}::{TYPES[output.type]}"
        inner.append(f"{value} AS {quoted(output.name)}")
        outer.append(f"{shown} AS {quoted(output.name)}")
    if columns.warned:
        arrays["warnings"] = _warnings(columns)
    told = "coalesce(warnings::VARCHAR, '[]')" if columns.warned else "'[]'"
    inner.append(f"from_json({told}, '{_JSON}') AS warnings")
    outer.append("warnings")
    connection.register("answers", arrays)
    return f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM answers)"


class _Few(NamedTuple):
    """The choices that rows made, each once, and which of them each row made, from 1."""

    choices: Any
    numbers: Any

    def select(self, names: Sequence[str], column: str) -> str:
        """Return the SQL that makes the chosen names of the numbers in `column`."""
        lists = (
            ", ".join(literal(name) for name, is_in in zip(names, choice, strict=True) if is_in)
            for choice in self.choices
        )
        made = ", ".join(f"[{each}]" for each in lists)
        return f"([{made}]::VARCHAR[][])[{quoted(column)}]"


def _few(chosen: Any) -> _Few | None:
    """Number the choices where few differ: put into words once each, they cost a tenth.

    `chosen` is an ndarray of bool of shape (n_rows, n_names).
    """
    packed = np.packbits(chosen, axis=1)
    kinds = packed.view(f"S{packed.shape[1]}").ravel()
    _, first, numbers = np.unique(kinds, return_index=True, return_inverse=True)
    return _Few(chosen[first], numbers + 1) if len(first) <= _MOST_CHOICES else None


def _warnings(columns: Columns) -> Any:
    texts = np.full(columns.n_rows, None, dtype=object)
    for row, warned in columns.warnings().items():
        texts[row] = msgspec.json.encode(warned).decode()
    return texts
