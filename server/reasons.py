"""Say in words what moved the model, the largest first."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from server.contract import Contract
from server.explained import ExplainedHead

# Contributions are true to about this; further digits are noise.
_DECIMALS = 6


def to_reasons(
    contract: Contract,
    head: ExplainedHead,
    outputs: Mapping[str, Any],
    derived: Sequence[Sequence[float]],
) -> list[list[dict[str, Any]]]:
    """Return, by row, each derived feature with its value and what it adds for the answer.

    `derived` holds, by row, the decimals of the derived features.

    A contribution is of the raw score of the predicted class, or of the value; with two classes
    the score is that of the second, and counts the other way round for the first.
    """
    exact = _toward_answer(contract, outputs, outputs[head.contributions])
    toward = np.round(exact, _DECIMALS) + 0.0  # no minus before a zero
    order = np.argsort(-np.abs(toward), axis=1, kind="stable").tolist()
    names = [feature.name for feature in contract.explanation.features]
    verbs = _verbs(contract, outputs)
    return [
        [
            {
                "feature": names[at],
                "value": None if values[at] != values[at] else values[at],
                "contribution": added[at],
                "detail": _detail(names[at], values[at], added[at], more, less),
            }
            for at in by_size
        ]
        for by_size, values, added, (more, less) in zip(
            order, derived, toward.tolist(), verbs, strict=True
        )
    ]


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


def _detail(name: str, value: float, added: float, more: str, less: str) -> str:
    subject = f"{name} (missing)" if value != value else f"{name} = {value:.4g}"
    if added == 0:
        return f"{subject} moves nothing"
    return f"{subject} {more if added > 0 else less} by {abs(added):.3g}"
