"""Compare contributions with means of the pipeline's own scores over mixed rows.

Nothing here knows of leaves, thresholds or tables: each mixed row takes some features from the
row that is explained and the others from a row of the background.
"""

import numpy as np
from numpy.typing import NDArray

from export.answers import Answers
from export.contributions import BASE_VALUES, CONTRIBUTIONS
from export.extend import Extended
from export.scorers import Scorer, raw_scores

# Of each kind of rows; every row costs two passes over the background a feature.
SAMPLE = 2


def interventional(
    scorer: Scorer, row: NDArray[np.float32], background: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return contributions and base values of one row, by the pipeline's own scores.

    Where at most pairs of features interact, a feature's Shapley value is the mean of what it adds
    to nothing and of what it adds to all the others.
    """
    alone = np.repeat(background[None], len(row), axis=0)
    without = np.broadcast_to(row, alone.shape).copy()
    for feature in range(len(row)):
        alone[feature, :, feature] = row[feature]
        without[feature, :, feature] = background[:, feature]

    def mean(mixed: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = raw_scores(scorer.estimator, mixed.reshape(-1, len(row)))
        return np.asarray(scores.reshape(*mixed.shape[:2], -1).mean(axis=1))

    nothing = raw_scores(scorer.estimator, background).mean(axis=0)
    everything = raw_scores(scorer.estimator, row[None])[0]
    return (mean(alone) - nothing + everything - mean(without)) / 2, nothing


def largest_difference(extended: Extended, answers: Answers, Z: NDArray[np.float32]) -> float:
    """Return the largest difference: of the sums in all rows, of each part in a sample."""
    background = extended.background
    assert background is not None  # noqa: S101  # the caller leaves without one
    differences = [0.0]
    second = np.isnan(Z[:, -1]) if len(extended.scorers) > 1 else np.zeros(len(Z), bool)
    chosen = np.unique(np.linspace(0, len(Z) - 1, SAMPLE).astype(int))
    for number, scorer in enumerate(extended.scorers):
        answered = second if number else ~second
        # The second head tells of every row, under its prefix; where it answers, twice.
        here = np.ones(len(Z), bool) if number else answered
        if not here.any():
            continue
        values = answers[scorer.prefix + CONTRIBUTIONS]
        base = answers[scorer.prefix + BASE_VALUES]
        for twice, own in ((values, CONTRIBUTIONS), (base, BASE_VALUES)):
            differences.append(np.abs(twice - answers[own])[answered].max(initial=0.0))
        scores = raw_scores(scorer.estimator, Z[here][:, scorer.columns])
        differences.append(np.abs(values[here].sum(axis=1) + base[here] - scores).max())
        others = np.setdiff1d(np.arange(Z.shape[1]), scorer.columns)
        differences.append(np.abs(values[here][:, others]).max(initial=0.0))
        for row in chosen[here[chosen]]:
            expected, mean = interventional(
                scorer, Z[row, scorer.columns], background[:, scorer.columns]
            )
            differences.append(np.abs(values[row, scorer.columns] - expected).max())
            differences.append(np.abs(base[row] - mean).max())
    return float(np.max(differences))
