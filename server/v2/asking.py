"""Read a request for inference: its JSON part, and which bytes behind it are whose."""

import json
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from server.faults import Fault, InvalidPayload, load_json

# More faults than these are told in `errors` alone.
_IN_WORDS = 3
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


class Tensor(msgspec.Struct):
    """One input, with its values where they stand in the JSON part."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] | None = None
    data: Any = None


class Asked(msgspec.Struct):
    """One output that is asked for."""

    name: str
    parameters: dict[str, Any] | None = None


class Request(msgspec.Struct):
    """What is asked; members that are not named here are left alone, as the protocol wants it."""

    inputs: list[Tensor]
    outputs: list[Asked] | None = None
    parameters: dict[str, Any] | None = None
    id: str | None = None


_decoder = msgspec.json.Decoder(Request)


def invalid(faults: Sequence[Fault]) -> InvalidPayload:
    """Return the error of faults in a request, in words: clients of V2 show nothing else."""
    told = "; ".join(fault.detail for fault in faults[:_IN_WORDS])
    more = len(faults) - _IN_WORDS
    detail = f"{told}; and {more} more" if more > 0 else told
    return InvalidPayload(HTTPStatus.BAD_REQUEST, detail, faults)


def unsupported(detail: str) -> InvalidPayload:
    """Return the error of what the protocol has and this server has not."""
    return InvalidPayload(HTTPStatus.NOT_IMPLEMENTED, detail)


def read_request(
    body: bytes, header_length: str | None
) -> tuple[Request, Sequence[memoryview | None]]:
    """Return what is asked, and for each input its bytes, or None where its values are in JSON.

    Parameters
    ----------
    header_length : str or None
        The header Inference-Header-Content-Length: how many bytes are JSON. Without it, all are.

    Raises
    ------
    InvalidPayload
        If it is not JSON, not what the protocol has, or the lengths do not add up.
    """
    n_json = len(body)
    if header_length is not None:
        # Ten digits are more than any body of ours has.
        if not re.fullmatch("[0-9]{1,10}", header_length) or int(header_length) > n_json:
            raise invalid(
                [
                    Fault(
                        "",
                        f"Inference-Header-Content-Length: {header_length[:20]} is not the length "
                        f"of the JSON part of a body of {n_json} bytes",
                    )
                ]
            )
        n_json = int(header_length)
    request = _read_json(body[:n_json])
    return request, _share_out(request.inputs, memoryview(body)[n_json:])


def _read_json(text: bytes) -> Request:
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Read a second time to say what is wrong, or because some clients write NaN for what is
        # missing, which is no JSON.
        content = load_json(text)
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        detail = "a text is not valid Unicode: half of a surrogate pair"
        raise InvalidPayload(HTTPStatus.BAD_REQUEST, detail) from None
    try:
        return msgspec.convert(content, Request)
    except msgspec.ValidationError as error:
        # "Expected `str`, got `int` - at `$.inputs[0].name`"
        detail, _, path = str(error).partition(" - at `$")
        place = "".join(f"/{name or number}" for name, number in _STEP.findall(path))
        where = place or "the body"
        raise invalid([Fault(place, f"{where}: {detail[0].lower()}{detail[1:]}")]) from None


def _share_out(tensors: Sequence[Tensor], rest: memoryview) -> Sequence[memoryview | None]:
    """Cut what stands behind the JSON part into the bytes of each input, in their order."""
    sizes = [_size_of(number, tensor) for number, tensor in enumerate(tensors)]
    total = sum(size or 0 for size in sizes)
    if total != len(rest):
        detail = f"the inputs' binary_data_size add up to {total} bytes, and {len(rest)} stand "
        raise invalid([Fault("", f"{detail}behind the JSON part")])
    parts: list[memoryview | None] = []
    begin = 0
    for size in sizes:
        parts.append(None if size is None else rest[begin : begin + size])
        begin += size or 0
    return parts


def _size_of(number: int, tensor: Tensor) -> int | None:
    """Return how many bytes are this input's, or None where its values are in the JSON part."""
    parameters = tensor.parameters or {}
    if "shared_memory_region" in parameters:
        raise unsupported(f"input {tensor.name}: shared memory is not supported: send the values")
    size = parameters.get("binary_data_size")
    if size is None:
        if tensor.data is None:
            detail = f"input {tensor.name}: has neither data nor the parameter binary_data_size"
            raise invalid([Fault(f"/inputs/{number}", detail)])
        return None
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        detail = f"input {tensor.name}: binary_data_size is not a number of bytes"
        raise invalid([Fault(f"/inputs/{number}/parameters/binary_data_size", detail)])
    if tensor.data is not None:
        detail = f"input {tensor.name}: has both data and the parameter binary_data_size"
        raise invalid([Fault(f"/inputs/{number}/data", detail)])
    return size
