"""Tell which values are unlike those the model was trained on, and say so."""

from typing import Any, TypedDict

import numpy as np

from server.contract import Feature
from server.faults import shown


class Warned(TypedDict):
    """A value that is answered, though the model was not trained on its like."""

    feature: str
    detail: str


def rows_outside(feature: Feature, array: Any) -> Any:
    """Return the rows of an array of the model's whose value the training rows did not have."""
    if feature.categories is not None:
        values = array.tolist()
        known = set(feature.categories)
        # Sets of all are sooner compared than each value is looked for.
        if set(values) <= known:
            return []
        return [row for row, value in enumerate(values) if value not in known]
    if feature.range is None:
        return []
    low, high = feature.range
    return np.flatnonzero((array < low) | (array > high))


def warning(feature: Feature, value: Any) -> Warned:
    """Say that `value`, as it was sent, is outside of what the model was trained on."""
    if feature.range is None:
        detail = f"{feature.name} = {shown(value)} is none of the values the model was trained on"
    else:
        low, high = feature.range
        detail = f"{feature.name} = {value:g} is outside the training range {low:g} to {high:g}"
    return Warned(feature=feature.name, detail=detail)
