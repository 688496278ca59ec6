"""Read columns of JSON values, as NDJSON has them, as what the features ask for."""

from typing import Any

import msgspec
import numpy as np

from server.column_faults import ColumnFault
from server.contract import Feature
from server.faults import fault_of_value, load_value

_DECODERS: dict[str, Any] = {
    "float32": msgspec.json.Decoder(list[float | None]),
    "int64": msgspec.json.Decoder(list[int | None]),
    "string": msgspec.json.Decoder(list[str | None]),
}
_DTYPES: dict[str, Any] = {"float32": np.float64, "int64": np.int64, "string": object}


def from_tokens(feature: Feature, tokens: Any) -> tuple[Any, list[ColumnFault]]:
    """Return what the feature's column is for `read_columns`, and what in it is none of it.

    Parameters
    ----------
    tokens : ndarray of shape (n_rows,), of objects
        Each a value as JSON, or None.
    """
    texts = [token or "null" for token in tokens]
    try:
        values = _DECODERS[feature.type].decode(f"[{','.join(texts)}]")
        return _to_column(feature, values), []
    except (msgspec.DecodeError, OverflowError, RecursionError):
        values = [load_value(text) for text in texts]
    faults = [
        ColumnFault(row, feature.name, detail)
        for row, value in enumerate(values)
        if value is not None and (detail := fault_of_value(feature, value))
    ]
    for fault in faults:
        values[fault.row or 0] = None
    return _to_column(feature, values), faults


def _to_column(feature: Feature, values: list[Any]) -> Any:
    missing = np.array([value is None for value in values], bool)
    blank: Any = "" if feature.type == "string" else 0
    filled = [blank if value is None else value for value in values]
    return np.ma.masked_array(np.array(filled, _DTYPES[feature.type]), missing)
