"""The features' types, and rows of a table as the tensors that a graph takes."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from export.errors import NotExportable

Tensors = dict[str, NDArray[Any]]

_DTYPES: dict[str, Any] = {"float32": np.float32, "int64": np.int64, "string": object}
_MENDS = {
    "b": "cast it to int64, or to strings",
    "M": "give what matters of it as a number, such as the days since a date",
    "m": "give it as a number, with its unit",
    "c": "give real and imaginary part as two columns",
}


def column_types(X: Any) -> dict[str, str]:
    """Return the type of each column: "float32", "int64" or "string".

    Raises
    ------
    NotExportable
        When X is no DataFrame with named columns, or a column is of another type or lacks values.
    """
    if not isinstance(X, pd.DataFrame):
        raise NotExportable(
            f"X_holdout is a {type(X).__name__}; features need names: "
            "give pandas.DataFrame(X, columns=[...])"
        )
    return {name: _column_type(name, X[name]) for name in X.columns}


def as_tensors(X: pd.DataFrame, types: dict[str, str]) -> Tensors:
    """Return one array of shape (n_samples, 1) a feature, in the feature's type."""
    return {
        name: X[name].to_numpy(dtype=_DTYPES[type_]).reshape(-1, 1) for name, type_ in types.items()
    }


def _column_type(name: Any, column: pd.Series) -> str:
    if not isinstance(name, str):
        raise NotExportable(f"column {name!r} has no name; name it with a string")
    kind = getattr(column.dtype, "kind", "O")
    if isinstance(column.dtype, pd.CategoricalDtype):
        raise NotExportable(f"column {name!r} is categorical: cast it with .astype(str)")
    if pd.api.types.is_float_dtype(column.dtype):
        return "float32"
    if pd.api.types.is_integer_dtype(column.dtype):
        return _complete(name, column, "int64")
    if column.map(lambda value: isinstance(value, str)).all():
        return "string"
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        return _complete(name, column, "string")
    mend = _MENDS.get(kind, "give numbers or strings")
    raise NotExportable(f"column {name!r} is of type {column.dtype}, which has no equal: {mend}")


def _complete(name: str, column: pd.Series, type_: str) -> str:
    if column.isna().any():
        raise NotExportable(
            f"column {name!r} lacks values, and only numbers of float32 may be missing: "
            f"fill it before the pipeline, say with a category of its own"
        )
    return type_
