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

    Parameters
    ----------
    texts : ndarray of shape (n_rows,), of objects
        Each a str, or None. Blanks around a number are no part of it; the empty text is missing.
    """
    if feature.type == "string":
        return texts, []
    stripped = [(text or "").strip() for text in texts]
    missing = np.array([not text for text in stripped], bool)
    pattern = _NUMBER if feature.type == "float32" else _WHOLE
    wanted = "a number" if feature.type == "float32" else "a whole number"
    faults = [
        ColumnFault(row, feature.name, f"expected {wanted}, got {shown(text)}")
        for row, text in enumerate(stripped)
        if text and not pattern.fullmatch(text)
    ]
    if faults:
        return np.full(len(stripped), np.nan, np.float32), faults
    filled = [text or "0" for text in stripped]
    if feature.type == "float32":
        return np.ma.masked_array(np.array(filled).astype(np.float64), missing), []
    is_beyond = [len(text) > 400 or not -(2**63) <= int(text) < 2**63 for text in filled]
    wholes = [0 if beyond else int(text) for text, beyond in zip(filled, is_beyond, strict=True)]
    faults = [
        ColumnFault(row, feature.name, "beyond a 64-bit integer")
        for row in np.flatnonzero(is_beyond).tolist()
    ]
    return np.ma.masked_array(np.array(wholes, np.int64), missing), faults
