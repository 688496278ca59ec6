"""Columns become features of one of three types, or are refused with the mend."""

import numpy as np
import pandas as pd
import pytest

from export.columns import as_tensors, column_types
from export.errors import NotExportable


def test_numbers_integers_and_strings_have_their_types() -> None:
    X = pd.DataFrame(
        {
            "half": np.array([1.5, np.nan], np.float32),
            "double": [1.5, 2.5],
            "small": np.array([1, 2], np.int8),
            "text": ["a", "b"],
            "object": pd.Series(["a", "b"], dtype=object),
        }
    )

    assert column_types(X) == {
        "half": "float32",
        "double": "float32",
        "small": "int64",
        "text": "string",
        "object": "string",
    }


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ([True, False], "cast it to int64"),
        (pd.to_datetime(["2026-01-01", "2026-01-02"]), "days since a date"),
        (pd.Categorical(["a", "b"]), r"\.astype\(str\)"),
        (["a", None], "only numbers of float32 may be missing"),
        (pd.array([1, None], dtype="Int64"), "only numbers of float32 may be missing"),
        ([{}, {}], "give numbers or strings"),
    ],
)
def test_other_columns_are_refused_with_the_mend(column: object, said: str) -> None:
    with pytest.raises(NotExportable, match=f"'x'.*{said}"):
        column_types(pd.DataFrame({"x": column}))


def test_an_array_is_refused_for_its_features_have_no_names() -> None:
    with pytest.raises(NotExportable, match="features need names"):
        column_types(np.zeros((2, 2)))


def test_tensors_have_one_column_in_the_type_of_the_feature() -> None:
    X = pd.DataFrame({"a": [1.5, 2.5], "b": [1, 2], "c": ["x", "y"]})

    tensors = as_tensors(X, column_types(X))

    assert {name: (each.dtype, each.shape) for name, each in tensors.items()} == {
        "a": (np.dtype(np.float32), (2, 1)),
        "b": (np.dtype(np.int64), (2, 1)),
        "c": (np.dtype(object), (2, 1)),
    }
