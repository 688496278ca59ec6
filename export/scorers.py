"""The heads of a pipeline's last step, and what scikit-learn says of each."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from export.last_step import last_step
from research.heads import PHOTOMETRIC, SPECTROSCOPIC, TwoHeads


class Scorer(NamedTuple):
    """One head: its name, the prefix of its own outputs, its estimator, the columns it takes.

    `needs` are the columns without which it does not answer.
    """

    name: str
    prefix: str
    estimator: Any
    columns: list[int]
    needs: list[int]


def scorers_of(pipeline: Any, n_features: int) -> list[Scorer]:
    """Return the heads of the last step: the one that answers complete rows first."""
    last = last_step(pipeline)
    columns = list(range(n_features))
    if isinstance(last, TwoHeads):
        return [
            Scorer(SPECTROSCOPIC, "", last.spectroscopic_, columns, columns[-1:]),
            Scorer(PHOTOMETRIC, f"{PHOTOMETRIC}_", last.photometric_, columns[:-1], []),
        ]
    return [Scorer("", "", last, columns, [])]


def raw_scores(estimator: Any, Z: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what is explained: log-odds or values, of shape (n_samples, n_scores)."""
    answer = estimator.decision_function if hasattr(estimator, "classes_") else estimator.predict
    return np.asarray(answer(_table(estimator, Z)), dtype=np.float64).reshape(len(Z), -1)


def answers_of(estimator: Any, Z: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return probabilities or values, of shape (n_samples, n_classes) or (n_samples, 1)."""
    answer = estimator.predict_proba if hasattr(estimator, "classes_") else estimator.predict
    return np.asarray(answer(_table(estimator, Z)), dtype=np.float64).reshape(len(Z), -1)


def _table(estimator: Any, Z: NDArray[np.float32]) -> Any:
    names = getattr(estimator, "feature_names_in_", None)
    return Z if names is None else pd.DataFrame(Z, columns=names)
