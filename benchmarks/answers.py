"""Check that what a server answers is what its contract promises."""

import math
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from benchmarks.instances import Instance

# Probabilities are float32: their sum is off by no more than this.
_SUM_TOLERANCE = 1e-5

Contract = dict[str, Any]
Answer = dict[str, Any]

# The outputs that are always there; the others are, where they are asked for.
_ALWAYS = ("label", "probabilities", "value", "detail")


class WrongAnswer(Exception):
    """An answer of status 200 with a content that cannot be right; the message says why."""


def check_predictions(
    contract: Contract, instances: Sequence[Instance], predictions: Sequence[Answer]
) -> None:
    """Check the answers to `instances`, which must be in the same order.

    Raises
    ------
    WrongAnswer
        At the first fault.
    """
    _require(len(predictions) == len(instances), f"{len(predictions)} of {len(instances)} answered")
    for instance, prediction in zip(instances, predictions, strict=True):
        found = prediction.get("id")
        _require(found == instance.get("id"), f"{found!r} stands where {instance['id']} belongs")
        _check_outputs(contract, prediction)
        _check_beside(contract, prediction)
        _require(isinstance(prediction["warnings"], list), "warnings is not a list")
    ids = [UUID(prediction["prediction_id"]) for prediction in predictions]
    _require(len(set(ids)) == len(ids), "a prediction_id stands twice in one answer")


def check_model(contract: Contract, answer: Answer) -> None:
    """Check that `answer` comes from the model whose contract this is."""
    expected = {"name": contract["model_name"], "version": contract["model_version"]}
    found = {name: answer["model"].get(name) for name in expected}
    _require(found == expected, f"answered by {answer['model']}, not {expected}")


def check_page(contract: Contract, rows: Sequence[Answer], older_than: UUID | None) -> UUID | None:
    """Check that a page of the log runs from new to old and goes on where the last one ended.

    Returns the oldest id so far, for the next page.
    """
    inputs = {feature["name"] for feature in contract["features"]}
    for row in rows:
        prediction_id = UUID(row["prediction_id"])
        _require(older_than is None or prediction_id < older_than, "a page is out of order")
        older_than = prediction_id
        if row["model"]["version"] == contract["model_version"]:
            _require(set(row["inputs"]) == inputs, f"a row with inputs {sorted(row['inputs'])}")
            _check_outputs(contract, row)
    return older_than


def _check_outputs(contract: Contract, prediction: Answer) -> None:
    for output in contract["outputs"]:
        if output["role"] not in _ALWAYS:
            continue
        value = prediction[output["name"]]
        if output["role"] == "probabilities":
            _check_probabilities(contract["class_names"], prediction["label"], value)
        elif output["type"] == "string":
            allowed = contract["class_names"] if output["role"] == "label" else output["values"]
            _require(allowed is None or value in allowed, f"{output['name']} {value!r}")
        else:
            _require(math.isfinite(value), f"{output['name']} {value!r}")


def _check_beside(contract: Contract, prediction: Answer) -> None:
    roles = {output["role"] for output in contract["outputs"]}
    if "prediction_set" in roles:
        names = prediction["prediction_set"]
        _require(set(names) <= set(contract["class_names"]), f"a prediction_set of {names}")
    if "interval" in roles:
        low, high = prediction["interval"]["low"], prediction["interval"]["high"]
        _require(low <= prediction["value"] <= high, f"an interval from {low} to {high}")
    if "novelty" in roles:
        known = {each["name"] for each in contract["novelty"]["columns"]}
        found = {each["feature"] for each in prediction["novelty"]}
        _require(found <= known, f"novelty of {sorted(found - known)}")


def _check_probabilities(
    class_names: list[str], label: str, probabilities: dict[str, float]
) -> None:
    _require(list(probabilities) == class_names, f"probabilities of {list(probabilities)}")
    total = math.fsum(probabilities.values())
    _require(abs(total - 1) <= _SUM_TOLERANCE, f"probabilities add up to {total!r}")
    _require(probabilities[label] == max(probabilities.values()), f"{label} is not the likeliest")


def _require(is_right: bool, message: str) -> None:
    if not is_right:
        raise WrongAnswer(message)
