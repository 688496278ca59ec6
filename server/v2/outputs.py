"""Say which outputs are asked for, and write them, as JSON or as bytes behind it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from server.contract import Contract, to_decimals
from server.faults import Fault, shown
from server.served import Said
from server.storage.parts import show
from server.v2.asking import Asked, Request, invalid, unsupported
from server.v2.datatypes import BYTES, DTYPES
from server.v2.metadata import BESIDE, VERSION, of_model

_LENGTH_BYTES = 4


class Output(NamedTuple):
    """One output to answer with: as bytes, or as JSON."""

    name: str
    is_binary: bool


class Written(NamedTuple):
    """An answer: its JSON part, and the bytes of the outputs that stand behind it."""

    head: bytes
    parts: list[bytes]


def find_outputs(request: Request, contract: Contract) -> tuple[list[Output], bool]:
    """Return the outputs to answer with, and whether what explains them is to be computed.

    Unless some are named, those are all that is always computed, and what explains it where the
    parameter `explain` is true.
    """
    parameters = request.parameters or {}
    explain = _flag(parameters, "explain", "/parameters")
    is_binary = _flag(parameters, "binary_data_output", "/parameters") or False
    explained = contract.explained_names
    if not request.outputs:
        names = [*contract.output_names, *(explained if explain else ())]
        return [Output(name, is_binary) for name in names], explain is not False
    known = [*contract.output_names, *explained, *BESIDE]
    found: dict[str, Output] = {}
    for number, asked in enumerate(request.outputs):
        place = f"/outputs/{number}"
        if asked.name not in known:
            detail = f"output {shown(asked.name)}: there are {', '.join(known)}"
        elif asked.name in found:
            detail = f"output {shown(asked.name)} is there twice"
        elif explain is False and asked.name in explained:
            detail = f"output {shown(asked.name)} is not computed where explain is false"
        else:
            found[asked.name] = Output(asked.name, _is_binary(asked, place, is_binary))
            continue
        raise invalid([Fault(place, detail)])
    return list(found.values()), explain is not False


def check_alike(wanted: Sequence[Output], contract: Contract, other: Contract) -> None:
    """Raise where two versions that share the callers of a model would answer unlike tensors."""
    ours, theirs = (
        {each.name: (each.type, each.shape, show(of, each)) for each in of.outputs}
        for of in (contract, other)
    )
    odd = [name for name, _ in wanted if ours.get(name) != theirs.get(name)]
    if odd:
        detail = (
            f"output {odd[0]} is not the same of {contract.model_version} and "
            f"{other.model_version}, which share the callers: ask one of them by its version"
        )
        raise invalid([Fault("/outputs", detail)])


def _is_binary(asked: Asked, place: str, by_default: bool) -> bool:
    parameters = asked.parameters or {}
    if parameters.get("classification"):
        raise unsupported(f"output {asked.name}: classification: ask for label or probabilities")
    if "shared_memory_region" in parameters:
        raise unsupported(f"output {asked.name}: shared memory is not supported")
    wanted = _flag(parameters, "binary_data", f"{place}/parameters")
    return by_default if wanted is None else wanted


def _flag(parameters: Mapping[str, Any], name: str, place: str) -> bool | None:
    value = parameters.get(name)
    if value is None or isinstance(value, bool):
        return value
    detail = f"parameter {name}: expected true or false, got {shown(value)}"
    raise invalid([Fault(f"{place}/{name}", detail)])


def write(
    request: Request,
    contract: Contract,
    wanted: Sequence[Output],
    said: Sequence[Said],
) -> Written:
    """Return the answer; where several versions gave it, the tensor model_version says which."""
    is_mixed = len(said) > 1
    if is_mixed and VERSION not in [name for name, _ in wanted]:
        wanted = [*wanted, Output(VERSION, is_binary=False)]
    datatypes = {each["name"]: each["datatype"] for each in of_model(contract)["outputs"]}
    tensors: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for name, is_binary in wanted:
        array = _array(name, said)
        tensor = {"name": name, "shape": array.shape, "datatype": datatypes[name]}
        if is_binary:
            parts.append(_to_bytes(array, datatypes[name]))
            tensor["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            tensor["data"] = to_decimals(array.reshape(-1))
        tensors.append(tensor)
    head = {"model_name": contract.model_name}
    if not is_mixed:
        head[VERSION] = said[0].served.model.contract.model_version
    if request.id is not None:
        head["id"] = request.id
    return Written(msgspec.json.encode({**head, "outputs": tensors}), parts)


def _array(name: str, said: Sequence[Said]) -> Any:
    """Return what was said under one name, in the order of the rows."""
    arrays = [
        np.array(_BESIDE[name](part), object) if name in _BESIDE else part.prediction.outputs[name]
        for part in said
    ]
    if len(said) == 1:
        return arrays[0]
    places = np.concatenate([np.array(part.places) for part in said])
    return np.concatenate(arrays)[np.argsort(places)]


_BESIDE: dict[str, Callable[[Said], Sequence[str]]] = {
    "prediction_id": lambda said: list(said.stored.prediction_ids.texts()),
    "warnings": lambda said: [msgspec.json.encode(w).decode() for w in said.instances.warnings],
    VERSION: lambda said: [said.served.model.contract.model_version] * len(said.places),
}


def _to_bytes(array: Any, datatype: str) -> bytes:
    if datatype != BYTES:
        return array.astype(DTYPES[datatype], copy=False).tobytes()  # type: ignore[no-any-return]  # numpy arrays are Any here
    texts = array.reshape(-1).tolist()
    # Labels repeat: each is written once.
    written = {text: _with_length(text.encode()) for text in {*texts}}
    return b"".join(map(written.__getitem__, texts))


def _with_length(text: bytes) -> bytes:
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text
