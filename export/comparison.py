"""How far two sets of answers to the same rows are apart."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.answers import Answers


@dataclass(frozen=True)
class Comparison:
    """Of each row the difference, infinite for NaN, and whether a word differs; the ties."""

    difference: NDArray[np.float64]
    differs: NDArray[np.bool_]
    ties: int

    def wrong(self, tolerance: float) -> NDArray[np.bool_]:
        """Return which rows the graph may not answer so, ndarray of shape (n_samples,)."""
        return (self.difference > tolerance) | self.differs


def compare(answers: Answers, expected: Answers, tolerance: float) -> Comparison:
    """Compare the graph's answers with the pipeline's; labels only where no two classes tie."""
    if "value" in answers:
        difference = np.abs(answers["value"] - expected["value"])
        return Comparison(_finite(difference), np.zeros(len(difference), bool), 0)
    difference = np.abs(answers["probabilities"] - expected["probabilities"]).max(axis=1)
    second, best = np.sort(expected["probabilities"], axis=1)[:, -2:].T
    tie = best - second <= tolerance
    differs = ~tie & (answers["label"] != expected["label"])
    for name in set(expected) - {"label", "probabilities"}:
        differs |= answers[name] != expected[name]
    return Comparison(_finite(difference), differs, int(tie.sum()))


def _finite(difference: NDArray[Any]) -> NDArray[np.float64]:
    """Return the difference with infinity in the place of NaN, which no comparison would find."""
    return np.where(np.isnan(difference), np.inf, difference).astype(np.float64)
