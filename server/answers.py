"""Turn what the model said into answers: named classes, reasons in words, what is novel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from server.contract import Contract, to_decimals
from server.explained import Bound, Novelty
from server.payload import Instances
from server.reasons import to_reasons, to_subjects
from server.served import Said

Rows = list[Any]


@dataclass(frozen=True)
class Answer:
    """What goes back to whoever asked."""

    body: bytes
    content_type: str
    # Of the page of the prediction, where it is a single one.
    location: str | None = None


def to_content(said: Sequence[Said], instances: Instances, *, reasons: bool) -> dict[str, Any]:
    """Return the answer to a request as JSON has it: one object, or a list with what they share.

    The rows of a list that several models have answered name theirs one by one.
    """
    if len(said) == 1:
        shared, answers = to_contents(said[0], reasons=reasons)
        return (
            {**shared, **answers[0]} if instances.is_single else {**shared, "predictions": answers}
        )
    rows: Rows = [None] * len(instances)
    for part in said:
        shared, answers = to_contents(part, reasons=reasons)
        for place, answer in zip(part.places, answers, strict=True):
            rows[place] = {"model": shared["model"], **answer}
    return {"predicted_at": shared["predicted_at"], "predictions": rows}


def to_contents(said: Said, *, reasons: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what one model's answer says once, and what it says of each row."""
    model, instances, stored = said.served.model, said.instances, said.stored
    outputs = said.prediction.outputs
    told = to_answers(model.contract, instances.values, outputs, reasons=reasons)
    answers = [
        {"prediction_id": prediction_id}
        | ({} if caller_id is None else {"id": caller_id})
        | answer
        | {"warnings": warnings}
        for prediction_id, caller_id, answer, warnings in zip(
            stored.prediction_ids.texts(), instances.ids, told, instances.warnings, strict=True
        )
    ]
    shared = {
        "model": model.named,
        "predicted_at": f"{stored.predicted_at.isoformat(timespec='microseconds')}Z",
    }
    return shared, answers


def to_answers(
    contract: Contract,
    values: Mapping[str, Sequence[Any]],
    outputs: Mapping[str, Any],
    *,
    reasons: bool,
) -> list[dict[str, Any]]:
    """Return one answer a row, with or without reasons.

    Parameters
    ----------
    values : mapping of str to sequence of length n_rows
        The inputs as sent.
    outputs : mapping of str to ndarray of shape (n_rows, ...)
        What the model said.
    """
    columns: dict[str, Rows] = {}
    for output in contract.outputs:
        if output.name in outputs and output.role in _TOLD:
            columns[output.name] = _TOLD[output.role](contract, outputs[output.name])
    if "novelty" in outputs:
        columns["novelty"] = _novelty(contract, values, outputs)
    has_derived = reasons and "derived" in outputs
    subjects = to_subjects(contract, outputs["derived"]) if has_derived else []
    for head in contract.explanation.heads if reasons else []:
        if head.contributions in outputs:
            name = head.contributions.removesuffix("contributions") + "reasons"
            columns[name] = to_reasons(contract, head, outputs, subjects)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(_: Contract, array: Any) -> Rows:
    return to_decimals(array)


def _by_class(contract: Contract, array: Any) -> Rows:
    names = contract.class_names
    return [dict(zip(names, row, strict=True)) for row in to_decimals(array)]


def _set(contract: Contract, array: Any) -> Rows:
    names = contract.class_names
    return [[name for name, held in zip(names, row, strict=True) if held] for row in array.tolist()]


def _interval(_: Contract, array: Any) -> Rows:
    return [{"low": low, "high": high} for low, high in to_decimals(array)]


_TOLD: dict[str, Callable[[Contract, Any], Rows]] = {
    "label": _plain,
    "probabilities": _by_class,
    "value": _plain,
    "detail": _plain,
    "prediction_set": _set,
    "interval": _interval,
}


def _novelty(
    contract: Contract, values: Mapping[str, Sequence[Any]], outputs: Mapping[str, Any]
) -> Rows:
    """Return, by row, what lies outside of what the model was trained on, and how far."""
    assert contract.novelty is not None  # noqa: S101  # the contract was checked at start
    found: Rows = [[] for _ in outputs["novelty"]]
    for row, number in np.argwhere(outputs["novelty"]).tolist():
        bound = contract.novelty.columns[number]
        is_input = bound.kind == "input"
        value = values[bound.name][row] if is_input else outputs["derived"][row, number]
        value = float(str(value))
        found[row].append(
            {
                "feature": bound.name,
                "value": value,
                "low": bound.low,
                "high": bound.high,
                "detail": beyond(contract.novelty, bound, value),
            }
        )
    return found


def beyond(novelty: Novelty, bound: Bound, value: float) -> str:
    """Say how `value` lies outside of `bound`, in as many digits as tell it from the ends."""
    ends = (bound.low, bound.high)
    digits = 9 if any(end is not None and f"{end:.6g}" == f"{value:.6g}" for end in ends) else 6
    low, high = (None if end is None else f"{end:.{digits}g}" for end in ends)
    told = f"{bound.name} = {value:.{digits}g}"
    if bound.kind == "input" and bound.high is not None and value > bound.high:
        return f"{told} is above {high}, the highest the model is meant for"
    if bound.kind == "input" and low is not None:
        return f"{told} is below {low}, the lowest the model is meant for"
    if low is None or high is None:
        return f"{told} lies outside what the model was trained on"
    first, last = novelty.quantiles
    share = f"{100 * (last - first):.4g} %"
    return f"{told} lies outside {low} to {high}, where {share} of the training rows lie"
