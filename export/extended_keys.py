"""The contract's words for what a graph says beside its answer."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from export import conformal
from export.branches import EXPLAIN
from export.contributions import BASE_VALUES, CONTRIBUTIONS
from export.scorers import Scorer


def describe_explanation(
    *,
    reason: str | None,
    scale: str = "",
    rows: int = 0,
    features: list[tuple[str, str]] | None = None,
    columns: list[str] | None = None,
    scorers: list[Scorer] | None = None,
) -> dict[str, Any]:
    """Return the contract's `explanation`; without rows there is nothing beside the answer."""
    explained = reason is None
    return {
        "reason": reason,
        "input": EXPLAIN if rows else None,
        "scale": scale if explained else "",
        "background": {"rows": rows, "of": "training rows"} if explained else None,
        "features": [{"name": name, "unit": unit} for name, unit in features or []],
        "columns": columns or [],
        "heads": [
            {
                "head": scorer.name,
                "contributions": scorer.prefix + CONTRIBUTIONS,
                "base_values": scorer.prefix + BASE_VALUES,
            }
            for scorer in scorers or []
            if explained
        ],
    }


def describe_sets(
    pipeline: Any,
    holdout: tuple[pd.DataFrame, pd.Series],
    calibration: conformal.Calibration | None,
    least: dict[str, NDArray[np.float32]],
    width: np.float32 | None,
    classes: list[str],
    alpha: float,
) -> dict[str, Any] | None:
    """Return the contract's `conformal`, with the coverage on the holdout."""
    if calibration is None or (not classes and width is None):
        return None
    X_holdout, y_holdout = holdout
    coverage = []
    for head, (answers, answered) in conformal.answers_by_head(pipeline, X_holdout).items():
        truth = y_holdout.to_numpy()[answered]
        if not classes:
            held = np.abs(answers.ravel() - truth) <= width
            coverage.append(_covered(head, "", held, None))
            continue
        sets = answers >= least[head]
        for number, label in enumerate(classes):
            own = truth.astype(str) == label
            coverage.append(
                _covered(head, label, sets[own, number], float(sets[own].sum(axis=1).mean()))
            )
    return {
        "alpha": alpha,
        "method": conformal.METHOD,
        "rows": len(calibration.truths[next(iter(calibration.truths))]),
        "thresholds": {head: dict(zip(classes, each, strict=True)) for head, each in least.items()},
        "half_width": width,
        "coverage": coverage,
    }


def _covered(head: str, label: str, held: NDArray[np.bool_], size: float | None) -> dict[str, Any]:
    share = round(float(held.mean()), 6) if len(held) else None
    size = round(size, 6) if size is not None and len(held) else None
    return {"head": head, "class_name": label, "share": share, "rows": len(held), "size": size}


def scores_of(
    calibration: conformal.Calibration | None, classes: list[str]
) -> dict[str, NDArray[np.float64]]:
    """Return out-of-fold scores: those of the training rows themselves would look too sure."""
    if calibration is None:
        return {}
    return {
        f"{head} {name}".strip(): answers[:, number]
        for head, answers in calibration.answers.items()
        for number, name in enumerate(classes or ["value"])
    }
