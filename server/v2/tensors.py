"""Turn the values of one input into an array, from JSON or from bytes, or say what is wrong."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from server.faults import MAX_FAULTS, NotANumber, shown
from server.v2.datatypes import BYTES, DTYPES

# A length, little-endian, stands before each text.
_LENGTH_BYTES = 4


class InvalidTensor(Exception):
    """An input that is no tensor: what is wrong, with the row, from 0, or None for all of it."""

    def __init__(self, *faults: tuple[int | None, str]) -> None:
        super().__init__(faults[0][1])
        self.faults = faults


def count_rows(shape: Sequence[int]) -> int:
    """Return N of the shape [N] or [N, 1]."""
    if len(shape) not in (1, 2) or any(isinstance(n, bool) for n in shape) or min(shape) < 0:
        raise InvalidTensor((None, f"shape {_cut(shape)} is not [N] or [N, 1]"))
    if len(shape) == 2 and shape[1] != 1:
        raise InvalidTensor(
            (None, f"shape {_cut(shape)} is not [N] or [N, 1]: each feature is an input of its own")
        )
    return shape[0]


def _cut(shape: Sequence[int]) -> str:
    return shown(list(shape))


def from_bytes(datatype: str, raw: memoryview, n_rows: int) -> Any:
    """Return ndarray of shape (n_rows,) of the bytes that stood behind the JSON part.

    No memory is taken but for as many bytes as were sent.
    """
    if datatype == BYTES:
        return _texts(raw, n_rows)
    dtype = _dtype(datatype)
    if n_rows * dtype.itemsize != len(raw):
        raise InvalidTensor(
            (
                None,
                f"{n_rows} values of {datatype} take {n_rows * dtype.itemsize} bytes, and "
                f"binary_data_size is {len(raw)}",
            )
        )
    array = np.frombuffer(raw, dtype)
    # A byte beyond 0 and 1 would be a true that is not equal to true.
    return array.view("u1").astype(bool).view("u1") if datatype == "BOOL" else array


def _texts(raw: memoryview, n_rows: int) -> Any:
    if n_rows * _LENGTH_BYTES > len(raw):
        raise InvalidTensor(
            (
                None,
                f"{n_rows} texts take at least {n_rows * _LENGTH_BYTES} bytes, and "
                f"binary_data_size is {len(raw)}",
            )
        )
    texts = np.empty(n_rows, object)
    at = 0
    for row in range(n_rows):
        begin = at + _LENGTH_BYTES
        end = begin + int.from_bytes(raw[at:begin], "little")
        if begin > len(raw) or end > len(raw):
            raise InvalidTensor((row, f"the text ends beyond the {len(raw)} bytes of the input"))
        try:
            texts[row] = str(raw[begin:end], "utf-8")
        except UnicodeDecodeError as error:
            raise InvalidTensor((row, f"the text is not UTF-8: {error.reason}")) from None
        at = end
    if at != len(raw):
        raise InvalidTensor((None, f"{len(raw) - at} bytes stand behind the last text"))
    return texts


def from_json(datatype: str, data: Any, shape: Sequence[int]) -> Any:
    """Return an ndarray or masked array of shape (n_rows,) of values as JSON has them.

    They stand in one list, or in one a row where the shape is [N, 1]. What is null is masked; NaN,
    which some clients write, stays NaN.
    """
    values = _flat(data, shape)
    found = {*map(type, values)}
    if datatype == BYTES:
        if found != {str}:
            _refuse(values, "a string", lambda value: type(value) is str)
        array = np.empty(len(values), object)
        array[:] = values
        return array
    dtype = _dtype(datatype)
    if datatype == "FP16":
        raise InvalidTensor((None, "FP16 is taken as binary data only: JSON has FP32 and FP64"))
    if datatype == "BOOL":
        if found != {bool}:
            _refuse(values, "true or false", lambda value: type(value) is bool)
        return _masked(values, np.dtype("u1"))
    if dtype.kind == "f":
        if not found <= {float, int}:
            _refuse(values, "a number", lambda value: type(value) in (float, int, NotANumber))
        return _floats(values)
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if found != {int} or min(values) < low or max(values) > high:
        wanted = f"a whole number from {low} to {high}"
        _refuse(values, wanted, lambda value: type(value) is int and low <= value <= high)
    return _masked(values, dtype)


def _flat(data: Any, shape: Sequence[int]) -> list[Any]:
    if not isinstance(data, list):
        raise InvalidTensor((None, f"data is not a list but {shown(data)}"))
    if len(data) != shape[0]:
        raise InvalidTensor((None, f"{len(data)} values, and the shape is {list(shape)}"))
    if len(shape) == 1 or not isinstance(data[0], list):
        return data
    for row, each in enumerate(data):
        if not isinstance(each, list) or len(each) != 1:
            raise InvalidTensor((row, f"expected a list of one value, got {shown(each)}"))
    return [value for (value,) in data]


def _floats(values: Sequence[Any]) -> Any:
    try:
        # None becomes NaN, and so does the text "NaN"; "Infinity" becomes infinite.
        return np.array(values, dtype=np.float64)
    except OverflowError:  # a whole number of more than 308 digits
        return np.array([_float(value) for value in values])


def _float(value: Any) -> float:
    try:
        return math.nan if value is None else float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _masked(values: Sequence[Any], dtype: Any) -> Any:
    missing = [value is None for value in values]
    if not any(missing):
        return np.array(values, dtype)
    return np.ma.array([value or 0 for value in values], dtype=dtype, mask=missing)


def _refuse(values: Sequence[Any], wanted: str, is_right: Callable[[Any], bool]) -> None:
    """Raise for the values that are not right; whether one may be null is for others to judge."""
    wrong = [
        (row, f"expected {wanted}, got {shown(value)}")
        for row, value in enumerate(values)
        if value is not None and not is_right(value)
    ]
    if wrong:
        raise InvalidTensor(*wrong[:MAX_FAULTS])


def _dtype(datatype: str) -> Any:
    if datatype not in DTYPES:
        raise InvalidTensor(
            (None, f"datatype {shown(datatype)} is none of {', '.join(DTYPES)}, {BYTES}")
        )
    return DTYPES[datatype]
