"""Read the contract from a model file's metadata, and refuse one whose parts do not agree."""

from collections.abc import Mapping

import msgspec

from server.agreement import find_odd_parts
from server.contract import ALWAYS, Contract, Feature, InvalidModel
from server.explained import EvaluatedHead

CONTRACT_VERSION = 1
# Names that requests and the log use themselves.
_TAKEN = (
    *("prediction_id", "predicted_at", "request_id", "instance", "instances", "explain", "id"),
    *(
        "model",
        "model_name",
        "model_version",
        "model_sha256",
        "label",
        "value",
        "probabilities",
        "warnings",
        "inference_ms",
    ),
)


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
            raise InvalidModel(
                f"has no {key} in its metadata: an older export wrote it, export the model again"
            )
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
    answered = [output for output in contract.outputs if output.role in ALWAYS]
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
        *((what, found, []) for what, found in find_odd_parts(contract).items()),
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
