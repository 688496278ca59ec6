"""What a model file says of itself, as read from its metadata; docs/contract.md has the keys."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from server.explained import Conformal, Evaluation, Explanation, Novelty, Reference

# The outputs of other roles stand behind the graph's optional input `explain`.
ALWAYS = ("label", "probabilities", "value", "detail")
_DTYPES: dict[str, Any] = {"int64": np.int64, "string": object}


class InvalidModel(Exception):
    """The file is not a model that this server can serve; the message says what is missing."""


def to_decimals(array: Any) -> list[Any]:
    """Return `array` as a list, each float32 as the shortest decimal that is this float32."""
    if array.dtype == np.float32:
        array = array.astype("U32").astype(np.float64)
    values: list[Any] = array.tolist()
    return values


class Feature(msgspec.Struct, frozen=True):
    """One input of the model."""

    name: str
    type: Literal["float32", "int64", "string"]
    unit: str
    meaning: str
    nullable: bool
    range: tuple[float, float] | None
    domain: tuple[float | None, float | None] | None
    categories: list[str | int] | None
    closed: bool

    def to_array(self, values: Sequence[Any]) -> Any:
        """Make an ndarray of shape (n_rows,) of this feature's type; None becomes NaN."""
        if self.type != "float32":
            return np.array(values, dtype=_DTYPES[self.type])
        with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite
            return np.array(values, dtype=np.float64).astype(np.float32)


class Output(msgspec.Struct, frozen=True):
    """One output of the model."""

    name: str
    role: Literal[
        "label",
        "probabilities",
        "value",
        "detail",
        "contributions",
        "base_values",
        "prediction_set",
        "interval",
        "novelty",
        "derived",
    ]
    type: Literal["float32", "int64", "string", "bool"]
    shape: list[int]
    meaning: str
    values: list[str] | None


class Target(msgspec.Struct, frozen=True):
    """The predicted column."""

    name: str
    unit: str
    meaning: str


class Score(msgspec.Struct, frozen=True):
    """Mean and standard deviation of one score over `n` evaluations."""

    name: str
    mode: str
    split: str
    mean: float
    sd: float
    n: int
    headline: bool


class Parity(msgspec.Struct, frozen=True):
    """How far the graph is from the pipeline it was made from."""

    tolerance: float
    max_difference: float
    holdout_rows: int
    threshold_rows: int
    thresholds: int
    thresholds_met: int
    label_differences: int
    ties: int
    explanation_tolerance: float | None
    explanation_difference: float | None
    explanation_rows: int


class Golden(msgspec.Struct, frozen=True):
    """A few rows with their answers, as columns."""

    inputs: dict[str, list[float | int | str | None]]
    outputs: dict[str, list[float | int | str | list[float]]]


class Contract(msgspec.Struct, frozen=True):
    """Everything the server knows about a model."""

    contract_version: int
    file_sha256: str
    model_name: str
    model_version: str
    description: str
    kind: Literal["binary", "multiclass", "regression"]
    target: Target
    class_names: list[str]
    features: list[Feature]
    outputs: list[Output]
    metrics: list[Score]
    parity: Parity
    golden: Golden
    evaluation: Evaluation
    trained_at: str
    data_sha256: str | None
    data_rows: int | None
    git_commit: str | None
    libraries: dict[str, str]
    explanation: Explanation
    conformal: Conformal | None
    novelty: Novelty | None
    reference: Reference | None

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs that are always computed, in the graph's order."""
        return [output.name for output in self.outputs if output.role in ALWAYS]

    @property
    def explained_names(self) -> list[str]:
        """Names of the outputs that are computed where they are asked for."""
        return [output.name for output in self.outputs if output.role not in ALWAYS]

    @property
    def details(self) -> list[str]:
        """Names of the outputs that are neither label, value nor probabilities."""
        return [output.name for output in self.outputs if output.role == "detail"]
