"""Requests of the Open Inference Protocol V2, JSON and binary: `read_request`, `read_inputs`."""

import json
import math
import struct

from server.faults import InvalidPayload
from server.v2.asking import read_request
from server.v2.inputs import read_inputs
from tests.fuzz import expected, hostile
from tests.fuzz.choices import Choices
from tests.fuzz.expected import (
    FEATURES,
    MOST,
    Refused,
    attempt,
    check_refusal,
    check_same,
    is_nan,
    refuse_if,
)

_KINDS = {"BOOL": "?", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q", "INT8": "b"}
_KINDS |= {"INT16": "h", "INT32": "i", "INT64": "q", "FP16": "e", "FP32": "f", "FP64": "d"}
_OF = {"float32": ["FP32", "FP64", "FP16"], "int64": ["INT64", "INT8", "UINT16"]}
_OF |= {"string": ["BYTES"]}
# Behind a NUL, what decides a request; else a request with the length of its JSON part before it.
SEEDS = [
    b"\xff\xff"
    + json.dumps(
        {
            "inputs": [
                {"name": "x", "shape": [1], "datatype": "FP32", "data": [1.5]},
                {"name": "n", "shape": [1, 1], "datatype": "INT64", "data": [[3]]},
                {"name": "k", "shape": [1], "datatype": "UINT8", "data": [1]},
                {"name": "word", "shape": [1], "datatype": "BYTES", "data": ["w"]},
                {"name": "hue", "shape": [1], "datatype": "BYTES", "data": ["red"]},
            ]
        }
    ).encode(),
    b"\xff\xff" + b'{"inputs": [{"name": "x", "shape": [-1], "datatype": "FP32", "data": []}]}',
    b"\x05\x00" + b'{"a":\x00\x01',
    *(
        b"\0" + bytes((at + n * step) % 256 for n in range(250))
        for at in range(9)
        for step in (1, 7)
    ),
]
WORDS = [
    b'"binary_data_size":',
    b'"parameters":',
    b'"shape":',
    b'"datatype":',
    b'"data":',
    b"BYTES",
]
WORDS += [b'"INT64"', b'"FP16"', b"NaN", b"null", b"9223372036854775808", b"-1", b'"id"', b"[[1]]"]


def try_one(data):
    """Read a request; return whether it was taken."""
    if data[:1] == b"\0":
        body, length = made(Choices(data[1:]))
    else:
        number = int.from_bytes(data[:2], "little")
        body, length = data[2:], None if number == 0xFFFF else str(number)
    wrong = (Refused, ValueError, RecursionError, struct.error)
    rows, _ = attempt(wrong, read, body, length)
    instances, error = attempt(InvalidPayload, take, body, length)
    if error:
        check_refusal(error, rows, (body, length))
        return False
    assert rows is not None, f"{body!r}, {length} is taken"
    check_same(instances, rows)
    return True


def take(body, length):
    """Return what the server takes a request for."""
    asked, raw = read_request(body, length)
    return read_inputs(asked, raw, FEATURES, max_instances=MOST).to_instances()


def made(choices):
    """Return a request, or nearly one, and the length of its JSON part."""
    n_rows = 1 + choices.number(MOST)
    inputs, parts = [], []
    for feature in FEATURES:
        if not choices.is_rare():
            kind = choices.one_of(_OF[feature.type])
            kind = choices.one_of([*_KINDS, "BYTES", "FP8"]) if choices.is_rare() else kind
            tensor, part = made_input(choices, feature, kind, n_rows)
            inputs.append(tensor)
            parts.append(part)
    head = f'{{"inputs": [{", ".join(inputs)}]}}'.encode("utf-8", "surrogatepass")
    wrong = choices.number(3) if choices.is_rare() else 0
    return head + b"".join(parts) + b"!" * wrong, str(len(head))


def made_input(choices, feature, kind, n_rows):
    """Return one input as JSON, and the bytes that stand behind for it."""
    n_rows += choices.is_rare()
    shape = choices.one_of([f"[{n_rows}]", f"[{n_rows}, 1]"])
    shape = (
        choices.one_of(["[1, 2]", "[]", "[true]", "[-1]", "[0]"]) if choices.is_rare() else shape
    )
    head = f'"name": {json.dumps(feature.name)}, "shape": {shape}, "datatype": "{kind}"'
    if choices.number(1):
        values = [hostile.member(choices, feature) for _ in range(n_rows)]
        if shape.endswith(", 1]"):
            values = [f"[{value}]" for value in values]
        return f'{{{head}, "data": [{", ".join(values)}]}}', b""
    part = b"".join(made_bytes(choices, feature, kind) for _ in range(n_rows))
    size = len(part) + (choices.number(3) if choices.is_rare() else 0)
    return f'{{{head}, "parameters": {{"binary_data_size": {size}}}}}', part


def made_bytes(choices, feature, kind):
    """Return a value as bytes."""
    if kind in _KINDS:
        size = struct.calcsize(f"<{_KINDS[kind]}")
        return b"\1" + bytes(size - 1) if feature.closed else choices.bytes(size).ljust(size, b"\0")
    text = b"red" if feature.closed else hostile.text(choices).encode("utf-8", "replace")
    text = choices.bytes(3) if choices.is_rare() else text
    return struct.pack("<I", len(text) + choices.is_rare()) + text


def read(body, length):
    """Return the rows of a request."""
    n_json = len(body) if length is None else int(length)
    refuse_if(n_json > len(body))
    request = json.loads(body[:n_json].decode("utf-8"), parse_constant=float)
    json.dumps(request, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    check_members(request)
    rest, columns, names = body[n_json:], {}, []
    for tensor in request["inputs"]:
        size = check_tensor(tensor)
        shape = tensor["shape"]
        refuse_if(tensor["name"] not in (*expected.NAMES, "id") or tensor["name"] in names)
        names.append(tensor["name"])
        refuse_if(shape not in ([shape[0]], [shape[0], 1]) or not 1 <= shape[0] <= MOST)
        if size is None:
            columns[tensor["name"]] = from_json(tensor)
        else:
            refuse_if(size > len(rest))
            columns[tensor["name"]] = from_bytes(tensor["datatype"], rest[:size], shape[0])
            rest = rest[size:]
    refuse_if(rest or not columns or len({len(column) for column in columns.values()}) != 1)
    (n_rows,) = {len(column) for column in columns.values()}
    columns["id"] = ids(columns["id"]) if "id" in columns else [None] * n_rows
    return [
        expected.row({name: as_sent(column[at]) for name, column in columns.items()})
        for at in range(n_rows)
    ]


def as_sent(found):
    """Return a value of a tensor as JSON would have it: what is no number is missing."""
    return None if is_nan(found) else found


def ids(column):
    """Return the caller's names, for which whole numbers stand too."""
    refuse_if(any(isinstance(each, float) and not is_nan(each) for each in column))
    return [None if each is None or each != each else str(each) for each in column]


def check_members(request):
    """Raise where a member is not of the type the protocol has."""
    optional = {"outputs": list, "parameters": dict, "id": str}
    refuse_if(not isinstance(request, dict) or not isinstance(request.get("inputs"), list))
    for name, kind in optional.items():
        refuse_if(request.get(name) is not None and not isinstance(request[name], kind))
    for asked in request.get("outputs") or []:
        refuse_if(not isinstance(asked, dict) or not isinstance(asked.get("name"), str))
        refuse_if(not isinstance(asked.get("parameters"), dict | None))
    for tensor in request["inputs"]:
        refuse_if(not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str))
        refuse_if(not isinstance(tensor.get("shape"), list))
        refuse_if(any(type(size) is not int for size in tensor["shape"]))
        refuse_if(not isinstance(tensor.get("datatype"), str) or not tensor["shape"])
        refuse_if(not isinstance(tensor.get("parameters"), dict | None))


def check_tensor(tensor):
    """Return how many bytes behind the JSON part are this input's, or None."""
    parameters = tensor.get("parameters") or {}
    refuse_if("shared_memory_region" in parameters)
    size = parameters.get("binary_data_size")
    if size is None:
        refuse_if(not isinstance(tensor.get("data"), list))
        return None
    refuse_if(type(size) is not int or size < 0 or tensor.get("data") is not None)
    return size


def from_json(tensor):
    """Return the values of an input in JSON."""
    kind, data, shape = tensor["datatype"], tensor["data"], tensor["shape"]
    refuse_if(len(data) != shape[0] or kind not in (*_KINDS, "BYTES") or kind == "FP16")
    if len(shape) == 2 and isinstance(data[0], list):
        refuse_if(any(not isinstance(each, list) or len(each) != 1 for each in data))
        data = [value for (value,) in data]
    for each in data:
        if each is None:
            continue
        if kind == "BYTES":
            refuse_if(not isinstance(each, str))
        elif kind == "BOOL":
            refuse_if(not isinstance(each, bool))
        elif kind.startswith("FP"):
            refuse_if(type(each) not in (int, float))
        else:
            refuse_if(type(each) is not int)
            struct.pack(f"<{_KINDS[kind]}", each)  # raises where it does not fit
    if kind.startswith("FP"):
        return [None if each is None else as_float(each) for each in data]
    return [int(each) if isinstance(each, bool) else each for each in data]


def as_float(number):
    """Return a number as a float, infinite where it is beyond."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def from_bytes(kind, raw, n_rows):
    """Return the values of an input in bytes."""
    if kind == "BYTES":
        texts = []
        for _ in range(n_rows):
            (size,) = struct.unpack("<I", raw[:4])
            refuse_if(len(raw) < 4 + size)
            texts.append(raw[4 : 4 + size].decode("utf-8"))
            raw = raw[4 + size :]
        refuse_if(raw)
        return texts
    refuse_if(kind not in _KINDS)
    found = struct.unpack(f"<{n_rows}{_KINDS[kind]}", raw)
    return [int(each) if isinstance(each, bool) else each for each in found]
