"""Bring the inputs of a request together as the columns the model takes, checked like any body."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.column_faults import InvalidColumns
from server.columns import Columns, read_columns
from server.contract import Feature
from server.faults import MAX_FAULTS, Fault, InvalidPayload, shown
from server.v2.asking import Request, Tensor, invalid
from server.v2.tensors import InvalidTensor, count_rows, from_bytes, from_json

# The caller's own names for the rows, beside the features: no feature may be called so.
_IDS = "id"


def read_inputs(
    request: Request,
    raw: Sequence[memoryview | None],
    features: Sequence[Feature],
    *,
    max_instances: int,
) -> Columns:
    """Return the columns that the model takes.

    Raises
    ------
    InvalidPayload
        With every fault, the input and the row it is in.
    """
    places = {tensor.name: number for number, tensor in enumerate(request.inputs)}
    _check_names(request.inputs, [feature.name for feature in features])
    n_rows = _count(request.inputs, max_instances)
    given: dict[str, Any] = {}
    faults: list[Fault] = []
    for number, (tensor, part) in enumerate(zip(request.inputs, raw, strict=True)):
        try:
            if part is None:
                given[tensor.name] = from_json(tensor.datatype, tensor.data, tensor.shape)
            else:
                given[tensor.name] = from_bytes(tensor.datatype, part, n_rows)
        except InvalidTensor as error:
            faults += [
                Fault(f"/inputs/{number}", _told(tensor.name, row, detail))
                for row, detail in error.faults
            ]
    if faults:
        raise invalid(faults[:MAX_FAULTS])
    try:
        return read_columns(given, n_rows, features)
    except InvalidColumns as error:
        raise _refused(error, places) from None


def without_answer(error: InvalidPayload) -> InvalidPayload:
    """Return the error of rows to which the model has no finite answer, as clients of V2 read it.

    In `error` a row is the JSON pointer ``/<row>``.
    """
    return invalid(
        [Fault("/inputs", f"row {pointer[1:]}: {detail}") for pointer, detail in error.faults]
    )


def _refused(error: InvalidColumns, places: Mapping[str, int]) -> InvalidPayload:
    return invalid(
        [
            Fault(
                f"/inputs/{places[name]}" if name in places else "/inputs",
                _told(name, row, detail),
            )
            for row, name, detail in error.faults[:MAX_FAULTS]
        ]
    )


def _told(name: str, row: int | None, detail: str) -> str:
    return f"input {name}: {detail}" if row is None else f"input {name}, row {row}: {detail}"


def _check_names(tensors: Sequence[Tensor], names: Sequence[str]) -> None:
    if not tensors:
        raise invalid([Fault("/inputs", f"no inputs: the model takes {', '.join(names)}")])
    seen: set[str] = set()
    faults = []
    for number, tensor in enumerate(tensors):
        if tensor.name in seen:
            detail = f"input {shown(tensor.name)} is there twice"
            faults.append(Fault(f"/inputs/{number}", detail))
        elif tensor.name not in names and tensor.name != _IDS:
            detail = f"input {shown(tensor.name)}: the model takes {', '.join(names)}"
            faults.append(Fault(f"/inputs/{number}", detail))
        seen.add(tensor.name)
    if faults:
        raise invalid(faults[:MAX_FAULTS])


def _count(tensors: Sequence[Tensor], max_instances: int) -> int:
    """Return the number of rows, the same in each input."""
    counts = []
    for number, tensor in enumerate(tensors):
        try:
            counts.append(count_rows(tensor.shape))
        except InvalidTensor as error:
            detail = _told(tensor.name, None, str(error))
            raise invalid([Fault(f"/inputs/{number}/shape", detail)]) from None
        detail = ""
        if counts[-1] != counts[0]:
            detail = f"{counts[-1]} rows, and input {tensors[0].name} has {counts[0]}"
        elif counts[0] == 0:
            detail = "no rows: send at least one"
        elif counts[0] > max_instances:
            detail = f"{counts[0]} rows: send at most {max_instances} at a time"
        if detail:
            raise invalid([Fault(f"/inputs/{number}/shape", _told(tensor.name, None, detail))])
    return counts[0]
