"""Read columns of text, as CSV has them, as the numbers that the features ask for."""

import re
from typing import Any

import numpy as np

from server.column_faults import ColumnFault
from server.contract import Feature
from server.faults import shown

_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|nan|NaN")


def from_texts(feature: Feature, texts: Any) -> tuple[Any, list[ColumnFault]]:
    """Return what the feature's column is for `read_columns`, and what in it is no number.

    What is no number is masked, as is the empty text; blanks around a number are no part of it.

    Parameters
    ----------
    texts : ndarray of shape (n_rows,), of objects
        Each a str, or None.
    """
    if feature.type == "string":
        return texts, []
    stripped = [(text or "").strip() for text in texts]
    is_number = (_NUMBER if feature.type == "float32" else _WHOLE).fullmatch
    faults = [
        ColumnFault(row, feature.name, _fault(feature, text))
        for row, text in enumerate(stripped)
        if text and (not is_number(text) or _is_beyond(feature, text))
    ]
    for fault in faults:
        stripped[fault.row or 0] = ""
    missing = np.array([not text for text in stripped], bool)
    if feature.type == "float32":
        column = np.array([text or "0" for text in stripped]).astype(np.float64)
    else:
        column = np.array([int(text or 0) for text in stripped], np.int64)
    return np.ma.masked_array(column, missing), faults


def _is_beyond(feature: Feature, text: str) -> bool:
    if feature.type == "float32":
        return False
    # Python refuses to read more than 4,300 digits.
    return len(text) > 400 or not -(2**63) <= int(text) < 2**63


def _fault(feature: Feature, text: str) -> str:
    if feature.type == "int64" and _WHOLE.fullmatch(text):
        return "beyond a 64-bit integer"
    wanted = "a number" if feature.type == "float32" else "a whole number"
    return f"expected {wanted}, got {shown(text)}"
