"""Instances to ask for, with the answers that onnxruntime alone gives to them."""

import math
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.answers import Contract, WrongAnswer, check_model, check_predictions
from benchmarks.instances import Instance, InstanceMaker

SIZE = 500
# A row in a group of others is summed in another order: what a model file may differ by.
_TOLERANCE = 1e-5
_TYPES = {"float32": np.float32, "int64": np.int64, "string": np.object_}


class Pool:
    """A fixed number of instances of one contract, and what a bare session says of each.

    Parameters
    ----------
    contract : dict
        As ``GET /model`` answers it.
    model : Path
        The same model's file.

    Attributes
    ----------
    bare : list of dict
        What a session alone says of each instance, by output.
    """

    def __init__(self, contract: Contract, model: Path) -> None:
        self.contract = contract
        maker = InstanceMaker(contract, Random(0))  # noqa: S311  # no secrets
        self.instances = [maker.make(missing_share=0.2) for _ in range(SIZE)]
        self.features = [feature["name"] for feature in contract["features"]]
        self.outputs = [
            output["name"]
            for output in contract["outputs"]
            if output["role"] in ("label", "probabilities", "value")
        ]
        self.bare = _run(model, contract, self.instances, self.outputs)

    def rows(self, name: str, numbers: Sequence[int]) -> list[Instance]:
        """Return instances under the ids of the request `name`."""
        return [
            {**self.instances[number], "id": f"{name}/{place}"}
            for place, number in enumerate(numbers)
        ]

    def check(self, rows: list[Instance], numbers: Sequence[int], answer: dict[str, Any]) -> None:
        """Check an answer to these rows: what it promises, and that it is the bare session's.

        Raises
        ------
        WrongAnswer
            At the first fault.
        """
        predictions = answer.get("predictions", [answer])
        check_model(self.contract, answer)
        check_predictions(self.contract, rows, predictions)
        for number, prediction in zip(numbers, predictions, strict=True):
            self.check_outputs(number, prediction)

    def check_outputs(self, number: int, said: dict[str, Any]) -> None:
        """Check what was said of an instance against the bare session, or raise WrongAnswer."""
        for name in self.outputs:
            expected, found = self.bare[number][name], said[name]
            if isinstance(expected, str):
                is_right = found == expected
            elif isinstance(expected, dict):
                is_right = all(_is_close(found[each], expected[each]) for each in expected)
            else:
                is_right = _is_close(found, expected)
            if not is_right:
                raise WrongAnswer(f"{name} is {found}, and onnxruntime alone says {expected}")


def _run(
    model: Path, contract: Contract, instances: Sequence[Instance], outputs: Sequence[str]
) -> list[dict[str, Any]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feeds: dict[str, Any] = {}
    for feature in contract["features"]:
        cells = [each.get(feature["name"]) for each in instances]
        filled = [math.nan if cell is None else cell for cell in cells]
        feeds[feature["name"]] = np.array(filled, dtype=_TYPES[feature["type"]]).reshape(-1, 1)
    columns = [_cells(contract, array) for array in session.run(outputs, feeds)]
    return [dict(zip(outputs, row, strict=True)) for row in zip(*columns, strict=True)]


def _cells(contract: Contract, array: Any) -> list[Any]:
    """Return one output row by row, probabilities under the names of their classes."""
    if array.ndim > 1:
        return [dict(zip(contract["class_names"], row, strict=True)) for row in array.tolist()]
    return list(array.tolist())


def _is_close(found: float, expected: float) -> bool:
    return math.isclose(found, expected, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
