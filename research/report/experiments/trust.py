"""How far an answer can be trusted: calibration, errors, edges, prediction sets and novelty."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from research.data import CLASSES, FEATURES
from research.evaluate import FOLDS
from research.report.experiments.setting import MODES, SEED, Setting, head
from research.report.measures import Labels, Probabilities, predict_folds, share

# Edges of probability for the reliability of each class.
EDGES = np.array([0, 0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98, 1.0])
ALPHAS = (0.01, 0.05)
QUANTILES = (0.0005, 0.9995)


def out_of_fold(setting: Setting) -> dict[str, Probabilities]:
    """Return by mode the probabilities of every row, the mean over the repeats."""
    return {
        mode: np.mean(predict_folds(head(mode), setting.Z(mode), setting.y, setting.folds), axis=0)
        for mode in MODES
    }


def reliability(setting: Setting) -> dict[str, Any]:
    """Return by mode and class: mean probability said, share that was so, and rows, by bin."""
    return {
        mode: {
            label: _bins(p[:, number], setting.y == label) for number, label in enumerate(CLASSES)
        }
        for mode in MODES
        for p in predict_folds(head(mode), setting.Z(mode), setting.y, setting.folds[:FOLDS])
    }


def _bins(p: NDArray[np.float64], is_so: NDArray[np.bool_]) -> list[dict[str, float]]:
    place = np.clip(np.searchsorted(EDGES, p, side="right") - 1, 0, len(EDGES) - 2)
    return [
        {
            "said": float(p[place == n].mean()),
            "was": float(is_so[place == n].mean()),
            "rows": int((place == n).sum()),
        }
        for n in range(len(EDGES) - 1)
        if (place == n).any()
    ]


def sets(setting: Setting) -> dict[str, Any]:
    """Return by mode, kind and alpha how often prediction sets hold the truth, on outer folds.

    A class is in a row's set where its probability reaches the k-th smallest of those that rows
    of that class were given out of fold, k = floor((n + 1) alpha); `marginal` takes one such
    threshold of the true class's probability over all rows.

    References
    ----------
    V. Vovk, Conditional validity of inductive conformal predictors, 2012.
    """
    found: dict[str, Any] = {}
    for mode in MODES:
        Z, y = setting.Z(mode), setting.y
        kept: dict[tuple[str, float], NDArray[np.bool_]] = {
            (kind, alpha): np.zeros((len(y), len(CLASSES)), dtype=bool)
            for kind in ("by_class", "marginal")
            for alpha in ALPHAS
        }
        for train, test in setting.folds[:FOLDS]:
            inner = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
            folds = list(inner.split(Z[train], y[train]))
            seen = predict_folds(head(mode), Z[train], y[train], folds)[0]
            p = head(mode).fit(Z[train], y[train]).predict_proba(Z[test])
            for (kind, alpha), held in kept.items():
                held[test] = p >= thresholds(seen, y[train], alpha, by_class=kind == "by_class")
        found[mode] = {
            f"{kind}_{alpha}": describe_sets(held, y) for (kind, alpha), held in kept.items()
        }
    return found


def thresholds(p: Probabilities, y: Labels, alpha: float, *, by_class: bool) -> NDArray[np.float64]:
    """Return the least probability with which each class is in a set."""
    own = [p[y == label, number] for number, label in enumerate(CLASSES)]
    groups = own if by_class else [np.concatenate(own)] * len(CLASSES)
    return np.array([_kth(np.sort(group), alpha) for group in groups])


def _kth(values: NDArray[np.float64], alpha: float) -> float:
    k = int(np.floor((len(values) + 1) * alpha))
    return float(values[k - 1]) if k else 0.0


def describe_sets(held: NDArray[np.bool_], y: Labels) -> dict[str, float]:
    """Return coverage by class, mean size, and shares of empty sets, single ones and right ones."""
    right = held[np.arange(len(y)), np.searchsorted(CLASSES, y)]
    size = held.sum(axis=1)
    return {
        **{f"coverage_{label}": float(right[y == label].mean()) for label in CLASSES},
        **{f"size_{label}": float(size[y == label].mean()) for label in CLASSES},
        "coverage": float(right.mean()),
        "size": float(size.mean()),
        "empty": float((size == 0).mean()),
        "single": float((size == 1).mean()),
        "single_right": share(right[size == 1]),
    }


def novelty(setting: Setting) -> dict[str, Any]:
    """Return how often a box around the training rows flags others, and the errors inside it.

    The box holds the middle 99.9 % of each of r and the four colours, and the ends that u and g
    are declared to have.
    """
    Z, y = setting.Z(MODES[1]), setting.y
    outside = np.zeros((len(y), Z.shape[1]), dtype=bool)
    for train, test in setting.folds[:FOLDS]:
        low, high = np.quantile(Z[train], QUANTILES, axis=0, method="nearest")
        outside[test] = (low > Z[test]) | (Z[test] > high)
    flagged = outside.any(axis=1) | beyond_domain(setting.table)
    return {
        "false_alarms": float(flagged.mean()),
        "by_class": {label: share(flagged[y == label]) for label in CLASSES},
        "flagged_rows": int(flagged.sum()),
        "errors": {
            mode: {
                name: share((_said(p) != y)[rows])
                for name, rows in (("flagged", flagged), ("unflagged", ~flagged))
            }
            for mode, p in out_of_fold(setting).items()
        },
    }


def beyond_domain(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return the rows beyond the end that a feature is declared to have."""
    ends = {name: feature.domain[1] for name, feature in FEATURES.items() if feature.domain}
    beyond = [table[name] > end for name, end in ends.items() if end is not None]
    return np.any(beyond, axis=0)  # type: ignore[no-any-return]


def _said(p: Probabilities) -> Labels:
    said: Labels = np.array(CLASSES)[p.argmax(axis=1)]
    return said
