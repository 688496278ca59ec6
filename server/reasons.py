"""Say in words what moved the model, the largest first."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from server.contract import Contract, to_decimals
from server.explained import ExplainedHead

# Contributions are true to about this; further digits are noise.
_DECIMALS = 6

# A derived feature of one row: its name, its value, None where it is missing, and both in words.
Subject = tuple[str, float | None, str]


def to_subjects(contract: Contract, derived: Any) -> list[list[Subject]]:
    """Return, by row, what reasons are of; all heads of a model share them."""
    names = [feature.name for feature in contract.explanation.features]
    return [
        [
            (name, value, f"{name} = {value:.4g}")
            if value == value
            else (name, None, f"{name} (missing)")
            for name, value in zip(names, row, strict=True)
        ]
        for row in to_decimals(derived)
    ]


def to_reasons(
    contract: Contract,
    head: ExplainedHead,
    outputs: Mapping[str, Any],
    subjects: Sequence[Sequence[Subject]],
) -> list[list[dict[str, Any]]]:
    """Return, by row, each derived feature with its value and what it adds for the answer.

    A contribution is of the raw score of the predicted class, or of the value; with two classes
    the score is that of the second, and counts the other way round for the first.
    """
    exact = _toward_answer(contract, outputs, outputs[head.contributions])
    toward = np.round(exact, _DECIMALS) + 0.0  # no minus before a zero
    order = np.argsort(-np.abs(toward), axis=1, kind="stable").tolist()
    verbs = _verbs(contract, outputs)
    return [
        [_reason(row[at], added[at], more, less) for at in by_size]
        for by_size, row, added, (more, less) in zip(
            order, subjects, toward.tolist(), verbs, strict=True
        )
    ]


def _reason(subject: Subject, added: float, more: str, less: str) -> dict[str, Any]:
    feature, value, words = subject
    if added > 0:
        detail = f"{words} {more} by {added:.3g}"
    elif added:
        detail = f"{words} {less} by {-added:.3g}"
    else:
        detail = f"{words} moves nothing"
    return {"feature": feature, "value": value, "contribution": added, "detail": detail}


def _toward_answer(contract: Contract, outputs: Mapping[str, Any], contributions: Any) -> Any:
    """Return ndarray of shape (n_rows, n_features), of float64."""
    if not contract.class_names:
        return contributions[:, :, 0].astype(np.float64)
    best = np.argmax(outputs["probabilities"], axis=1)
    if contributions.shape[2] == 1:
        return np.where(best == 1, 1.0, -1.0)[:, None] * contributions[:, :, 0]
    return contributions[np.arange(len(best)), :, best].astype(np.float64)


def _verbs(contract: Contract, outputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    if contract.class_names:
        return [
            (f"pushes towards {label}", f"pushes away from {label}") for label in outputs["label"]
        ]
    name = contract.target.name
    return [(f"raises {name}", f"lowers {name}")] * len(outputs["value"])
