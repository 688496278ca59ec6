"""Hold what a graph says beside its answer against scikit-learn and numpy, on their own terms."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
import pandas as pd
from numpy.typing import NDArray

from export.answers import Answers, explained_answers, graph_answers, open_session, pipeline_answers
from export.contributions import CONTRIBUTIONS
from export.errors import ParityError
from export.extend import Extended
from export.last_step import derive
from export.novelty import find_outside
from export.verify_explanation import SAMPLE, largest_difference

TOLERANCE = 1e-5
# Of a derived feature: a step may compute in float64, and the graph in float32.
DERIVED_TOLERANCE = 1e-5


class ExtendedParity(NamedTuple):
    """The largest difference of a contribution or base value, and how many rows were compared."""

    explanation_tolerance: float
    explanation_difference: float
    explanation_rows: int


def verify_extended(
    extended: Extended,
    pipeline: Any,
    rows: Iterable[tuple[str, pd.DataFrame]],
    types: dict[str, str],
    tolerance: float,
) -> ExtendedParity | None:
    """Compare every added output with what scikit-learn and numpy say.

    Parameters
    ----------
    rows : kinds of rows with the words for them
    tolerance : float
        The difference allowed in a probability or value.

    Raises
    ------
    ParityError
        When one differs.
    """
    if not extended.outputs:
        return None
    session = open_session(extended.model)
    largest, compared, scale = 0.0, 0, 1.0
    for where, X in rows:
        answers = explained_answers(session, X, types)
        Z = derive(pipeline, X)
        _check_nothing(session, extended, X, types, where)
        _check_sets(extended, answers, pipeline, X, Z, where, tolerance)
        close = {"rtol": DERIVED_TOLERANCE, "atol": DERIVED_TOLERANCE}
        _refuse("derived", ~np.isclose(answers["derived"], Z, **close, equal_nan=True), where)
        if extended.background is None:
            continue
        scale = max(scale, float(np.abs(answers[CONTRIBUTIONS]).max(initial=0.0)))
        largest = max(largest, largest_difference(extended, answers, Z))
        compared += min(SAMPLE, len(X))
        if not largest <= TOLERANCE * scale:
            raise ParityError(
                f"contributions ({where}) differ by {largest:.3g} from those computed on the "
                f"pipeline itself, where {TOLERANCE * scale:.3g} is allowed. Nothing was written."
            )
    if extended.background is None:
        return None
    return ExtendedParity(TOLERANCE * scale, largest, compared)


def _check_sets(
    extended: Extended,
    answers: Answers,
    pipeline: Any,
    X: pd.DataFrame,
    Z: NDArray[np.float32],
    where: str,
    tolerance: float,
) -> None:
    expected = pipeline_answers(pipeline, X)
    if extended.least:
        by_head = list(extended.least.values())
        least = np.broadcast_to(by_head[0], answers["probabilities"].shape)
        if len(by_head) > 1:
            least = np.where(np.isnan(Z[:, -1:]), by_head[1], by_head[0])
        near = np.abs(expected["probabilities"] - least) <= tolerance
        wanted = expected["probabilities"] >= least
        _refuse("prediction_set", (answers["prediction_set"] != wanted) & ~near, where)
    if extended.width is not None:
        ends = expected["value"][:, None] + np.array([-1, 1]) * extended.width
        _refuse("interval", np.abs(answers["interval"] - ends) > 2 * tolerance, where)
    if extended.box is not None:
        _refuse("novelty", answers["novelty"] != find_outside(extended.box, Z, X), where)


def _check_nothing(
    session: onnxruntime.InferenceSession,
    extended: Extended,
    X: pd.DataFrame,
    types: dict[str, str],
    where: str,
) -> None:
    unasked = graph_answers(session, X, types)
    for output in extended.outputs:
        _refuse(f"{output.name} without being asked", np.array(len(unasked[output.name])), where)


def _refuse(name: str, wrong: NDArray[Any], where: str) -> None:
    if wrong.any():
        raise ParityError(
            f"{name} ({where}) differs from what numpy computes at {int(wrong.sum())} places. "
            "Nothing was written."
        )
