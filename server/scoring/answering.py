"""Answer the rows of a part, and lay the answers beside the columns they came with."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import msgspec
import numpy as np

from server.columns import Columns
from server.contract import Contract, Output
from server.model import Model
from server.storage.layout import TYPES
from server.storage.parts import quoted, show
from server.storage.reading import AT_LENGTH

# Rows in one run of the graph: what they need stays in the caches of a core.
_RUN_ROWS = 5_000
_JSON = '[{"feature":"VARCHAR","detail":"VARCHAR"}]'


def predict(model: Model, columns: Columns, *, at_length: bool) -> tuple[dict[str, Any], list[int]]:
    """Return what the model says of all rows, by output, and the rows it has no finite answer to.

    A session runs on one core; whoever has more calls this from as many threads.
    """
    names = [each.name for each in outputs_of(model.contract, at_length=at_length)]
    runs: list[dict[str, Any]] = []
    not_finite: list[int] = []
    for first in range(0, max(columns.n_rows, 1), _RUN_ROWS):
        piece = {name: array[first : first + _RUN_ROWS] for name, array in columns.arrays.items()}
        said = model.predict(piece)
        runs.append({name: said.outputs[name] for name in names})
        not_finite += [first + row for row in said.not_finite]
    outputs = {name: np.concatenate([run[name] for run in runs]) for name in names}
    return outputs, sorted({*not_finite})


def outputs_of(contract: Contract, *, at_length: bool) -> list[Output]:
    """Return the outputs that are written: what explains them only where it is asked for."""
    return [each for each in contract.outputs if at_length or each.role not in AT_LENGTH]


def register(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    outputs: Mapping[str, Any],
    columns: Columns,
    prediction_ids: Sequence[Any] | None,
) -> str:
    """Hand the answers to DuckDB and return the SELECT of them, named as the log names them."""
    arrays: dict[str, Any] = {"n": np.zeros(columns.n_rows, np.int8)}
    inner, outer = [], []
    if prediction_ids is not None:
        arrays["prediction_id"] = np.array([str(each) for each in prediction_ids], dtype=object)
        inner.append("prediction_id")
        outer.append("prediction_id::UUID AS prediction_id")
    for number, output in enumerate(each for each in contract.outputs if each.name in outputs):
        array = outputs[output.name]
        if output.shape:
            flat = np.ascontiguousarray(array.reshape(columns.n_rows, -1).T)
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
    return f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM answers)"  # noqa: S608  # names of ours, or quoted


def _warnings(columns: Columns) -> Any:
    texts = np.full(columns.n_rows, None, dtype=object)
    for row, warned in columns.warnings().items():
        texts[row] = msgspec.json.encode(warned).decode()
    return texts
