"""What a model file says of itself, as read from its metadata; docs/contract.md has the keys."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from server.explained import Conformal, Evaluation, Explanation, Novelty, Reference

# The outputs of other roles stand behind the graph's optional input `explain`.
ALWAYS = ("label", "probabilities", "value", "detail")
# Powers of ten that float64 holds exactly, and the sizes for which those are enough.
_POWERS = np.array([float(f"1e{power}") for power in range(23)])
_EXACT_FROM, _EXACT_TO = 1e-13, 1e15
# Fewer values than this are sooner written as text.
_FEW = 32
_DTYPES: dict[str, Any] = {"int64": np.int64, "string": object}


class InvalidModel(Exception):
    """The file is not a model that this server can serve; the message says what is missing."""


def to_decimals(array: Any) -> list[Any]:
    """Return `array` as a list, each float32 as the shortest decimal that is this float32."""
    if array.dtype == np.float32:
        array = _shortest(array)
    values: list[Any] = array.tolist()
    return values


def _shortest(array: Any) -> Any:
    """Return the same as float64, rounded to the fewest digits from which float32 comes back.

    Nine digits tell every float32, and six are kept by every float32 (C17, FLT_DECIMAL_DIG and
    FLT_DIG), so the least of 6 to 9 that comes back has no more digits than it needs.
    """
    wide = array.astype(np.float64)
    size = np.abs(wide)
    is_usual = (size > _EXACT_FROM) & (size < _EXACT_TO)
    if array.size < _FEW or not (is_usual | (size == 0) | np.isnan(size)).all():
        return array.astype("U32").astype(np.float64)  # a text for each
    exponent = np.floor(np.log10(size, where=is_usual, out=np.zeros_like(size))).astype(np.int64)
    # Whole numbers of 6 to 9 digits: each and its power of ten are exact, and so their quotient or
    # product is the float64 next to the decimal. All at once: few values take as long as many.
    power = np.arange(5, 9).reshape(4, *(1,) * array.ndim) - exponent
    up, down = _POWERS[np.maximum(power, 0)], _POWERS[np.maximum(-power, 0)]
    candidates = np.rint(wide * up / down) * down / up
    fits = candidates.astype(np.float32) == array
    return np.take_along_axis(candidates, fits.argmax(axis=0)[None], axis=0)[0]


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
