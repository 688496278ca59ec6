"""What a model file says of itself, as read from its metadata; docs/contract.md has the keys."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from server.explained import Conformal, EvaluatedHead, Evaluation, Explanation, Novelty, Reference

CONTRACT_VERSION = 1
# Names that requests and the log use themselves.
_TAKEN = (
    *("prediction_id", "predicted_at", "request_id", "instance", "instances", "explain", "id"),
    *(
        "model",
        "model_name",
        "model_version",
        "label",
        "value",
        "probabilities",
        "warnings",
        "inference_ms",
    ),
)
# The outputs of other roles stand behind the graph's optional input `explain`.
_ALWAYS = ("label", "probabilities", "value", "detail")
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
        return [output.name for output in self.outputs if output.role in _ALWAYS]

    @property
    def explained_names(self) -> list[str]:
        """Names of the outputs that are computed where they are asked for."""
        return [output.name for output in self.outputs if output.role not in _ALWAYS]

    @property
    def details(self) -> list[str]:
        """Names of the outputs that are neither label, value nor probabilities."""
        return [output.name for output in self.outputs if output.role == "detail"]


def read_contract(metadata: Mapping[str, str]) -> Contract:
    """Read the contract from the metadata of an ONNX file, each value of which is JSON text.

    Raises
    ------
    InvalidModel
        If a key is missing, a value has another shape than docs/contract.md says, or the
        contract's version is not one this server knows.
    """
    if "contract_version" not in metadata:
        raise InvalidModel(
            "has no contract in its metadata: write it with export_model or python -m export"
        )
    values = {}
    for key in Contract.__struct_fields__:
        if key not in metadata:
            raise InvalidModel(f"has no {key} in its metadata")
        try:
            values[key] = msgspec.json.decode(metadata[key])
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidModel(f"has a {key} in its metadata that is not JSON: {error}") from None
    if values["contract_version"] != CONTRACT_VERSION:
        raise InvalidModel(
            f"has contract version {metadata['contract_version']}, and this server reads "
            f"version {CONTRACT_VERSION}"
        )
    try:
        contract = msgspec.convert(values, Contract)
    except msgspec.ValidationError as error:
        raise InvalidModel(f"has a contract this server cannot read: {error}") from None
    _check_agreement(contract)
    return contract


def _check_agreement(contract: Contract) -> None:
    names = [f.name for f in contract.features]
    every_output = [output.name for output in contract.outputs]
    _check_names([*names, *every_output], [])
    _check_names(names, list(_TAKEN))
    if len({name.lower() for name in contract.class_names} - {""}) != len(contract.class_names):
        raise InvalidModel(f"has a contract with the classes {contract.class_names}")
    roles = ["label", "probabilities"] if contract.class_names else ["value"]
    answered = [output for output in contract.outputs if output.role in _ALWAYS]
    outputs = [(o.name, o.role) for o in answered if o.role != "detail"]
    golden = contract.golden
    lengths = {len(column) for column in golden.inputs.values()}
    lengths |= {len(column) for column in golden.outputs.values()}
    axes = _axes(contract)
    odd_shapes = [o.name for o in contract.outputs if o.shape != axes.get(o.role, [])]
    odd_heads = [h.head for h in contract.evaluation.heads if _has_odd_axes(contract, h)]
    for what, found, wanted in (
        ("shapes of outputs", odd_shapes, []),
        ("axes of the evaluation", odd_heads, []),
        ("outputs", outputs, [(role, role) for role in roles]),
        ("golden inputs", sorted(golden.inputs), sorted(names)),
        ("golden outputs", sorted(golden.outputs), sorted(contract.output_names)),
        ("golden columns", len(lengths), 1),
        ("golden rows", 0 in lengths, False),
        ("ranges of strings", [f.name for f in contract.features if _has_odd_range(f)], []),
    ):
        if found != wanted:
            raise InvalidModel(f"has a contract whose {what} are {found}, and should be {wanted}")


def _axes(contract: Contract) -> dict[str, list[int]]:
    """Return the shape that an output of each role must have, behind the rows."""
    classes, derived = len(contract.class_names), len(contract.explanation.features)
    columns = max(len(contract.explanation.columns), 1)
    return {
        "probabilities": [classes],
        "contributions": [derived, columns],
        "base_values": [columns],
        "prediction_set": [classes],
        "interval": [2],
        "novelty": [len(contract.novelty.columns) if contract.novelty else 0],
        "derived": [derived],
    }


def _has_odd_axes(contract: Contract, head: EvaluatedHead) -> bool:
    n_classes, axes = len(contract.class_names), _axes(contract)
    return any(
        table is not None and (len(table) != down or any(len(row) != across for row in table))
        for table, (down, across) in (
            (head.confusion, (n_classes, n_classes)),
            (head.importance, axes["contributions"]),
        )
    )


def _has_odd_range(feature: Feature) -> bool:
    return feature.type == "string" and feature.range is not None


def _check_names(names: list[str], taken: list[str]) -> None:
    """Raise for names that JSON and SQL could not tell apart, or that mean something there."""
    seen = {name.lower() for name in taken}
    for name in names:
        if not name.isprintable() or not name.strip() or {*name} & {*'"\\'}:
            raise InvalidModel(f"has a contract with the name {name!r}")
        if name.lower() in seen:
            raise InvalidModel(f"has a contract with the name {name!r} twice, or it is taken")
        seen.add(name.lower())
