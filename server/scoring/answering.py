"""Answer the rows of a part, and lay the answers beside the columns they came with."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import msgspec
import numpy as np

from server.column_faults import ColumnFault
from server.columns import Columns, read_columns
from server.contract import Contract
from server.model import Model
from server.scoring.reading import Part
from server.storage.layout import TYPES
from server.storage.parts import quoted, show
from server.storage.reading import AT_LENGTH

# Rows in one run of the graph: what they need stays in the caches of a core.
_RUN_ROWS = 5_000
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
        array = outputs[output.name]
        if output.shape:
            flat = np.ascontiguousarray(array.reshape(columns.n_rows, math.prod(output.shape)).T)
            parts = {f"o{number}_{part}": values for part, values in enumerate(flat)}
            arrays |= parts
            value = f"array_value({', '.join(parts)})::{TYPES[output.type]}[{len(parts)}]"
        else:
            arrays[f"o{number}"] = array
            value = f"o{number}::{TYPES[output.type]}"
        inner.append(f"{value} AS {quoted(output.name)}")
        shown = show(contract, output)
        if output.role == "novelty":  # of few rows there is anything to say
            arrays["is_novel"] = array.any(axis=1)
            inner.append("is_novel")
            shown = f"CASE WHEN is_novel THEN {shown} ELSE [] END"
        outer.append(f"{shown} AS {quoted(output.name)}")
    arrays["warnings"] = _warnings(columns)
    inner.append(f"from_json(coalesce(warnings::VARCHAR, '[]'), '{_JSON}') AS warnings")
    outer.append("warnings")
    connection.register("answers", arrays)
    return f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM answers)"


def _warnings(columns: Columns) -> Any:
    texts = np.full(columns.n_rows, None, dtype=object)
    for row, warned in columns.warnings().items():
        texts[row] = msgspec.json.encode(warned).decode()
    return texts
