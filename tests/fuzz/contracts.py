"""Metadata of model files, and the hash such a file ends in: `read_contract` and `_is_whole`."""

import contextlib
import hashlib
import json
from pathlib import Path

import msgspec
import onnx

from server.contract import InvalidModel
from server.contract_reader import read_contract
from server.faults import InvalidPayload
from server.model import _is_whole
from server.pages.home import example_instance
from server.payload import PayloadReader
from tests.fuzz.choices import Choices
from tests.fuzz.expected import attempt

MODEL = Path(__file__).parents[2] / "models" / "sdss.onnx"
METADATA = {each.key: each.value for each in onnx.load(MODEL).metadata_props}
CONTRACT = {key: json.loads(text) for key, text in METADATA.items()}
_VALUES = [None, True, 0, -1, 1e308, 2**70, "", "x", "id", "\0", "'\"", "a" * 300, [], {}, [[]]]
_VALUES += [
    [None],
    [1, 2],
    ["GALAXY"],
    {"": 0},
    0.5,
    "float32",
    "string",
    "label",
    "\ud800",
    "STAR",
]
_TEXTS = ["", "{", "[" * 3_000, "NaN", "1e999", '"\\ud800"', "\ufeff1", "0x1", "[1,]", "null", "01"]
# The first byte says what is looked at.
SEEDS = [
    *(bytes((at + n * step) % 256 for n in range(60)) for at in range(12) for step in (1, 3)),
    *(b"w" + bytes((at * 50 + n) % 256 for n in range(120)) for at in range(4)),
]
WORDS = [b"w", b"\x72\x51\x0a\x0b", b"file_sha256"]


def try_one(data):
    """Read metadata or look at the end of a file; return whether it was taken."""
    if data[:1] == b"w":
        return try_file(Choices(data[1:]))
    metadata = altered(Choices(data))
    contract, error = attempt(InvalidModel, read_contract, metadata)
    if error:
        assert len(str(error)) < 100_000
        return False
    told = {key: json.loads(metadata[key]) for key in metadata}
    for key, value in msgspec.to_builtins(contract).items():
        check_holds(told[key], value)
    check_use(contract)
    return True


def check_use(contract):
    """Raise unless what was taken can be put to use where its golden rows are values at all."""
    reader = PayloadReader(contract.features, 1)
    try:
        for feature in contract.features:
            feature.to_array(contract.golden.inputs[feature.name])
    except (ValueError, TypeError, OverflowError):
        return  # the model says so once it has run them
    with contextlib.suppress(InvalidPayload):
        reader.parse(json.dumps(example_instance(contract)).encode())


def altered(choices):
    """Return the metadata of the model we ship with a few things changed."""
    values = {}
    for _ in range(choices.number(3)):
        key = choices.one_of(sorted(METADATA))
        values[key] = changed(choices, values.get(key, CONTRACT[key]))
    metadata = METADATA | {key: json.dumps(value) for key, value in values.items()}
    if choices.is_rare():
        key = choices.one_of(sorted(metadata))
        at = choices.number(len(metadata[key]))
        put = choices.one_of([*_TEXTS, choices.text(9)])
        metadata[key] = metadata[key][:at] + put + metadata[key][at + choices.number(9) :]
    if choices.is_rare():
        del metadata[choices.one_of(sorted(metadata))]
    return metadata


def changed(choices, value):
    """Return a value of JSON with one place in it changed."""
    inner = (
        list(value) if isinstance(value, dict) else range(len(value) if type(value) is list else 0)
    )
    if not inner or choices.number(9) == 0:
        return choices.one_of(_VALUES)
    at = choices.one_of(inner)
    value = value.copy()
    if choices.is_rare():
        del value[at]
    elif isinstance(value, list) and choices.is_rare():
        value.insert(at, choices.one_of([*value, *_VALUES]))
    elif isinstance(value, dict) and choices.is_rare():
        value[choices.one_of(["x", "", "u", "name", *value])] = value[at]
    else:
        value[at] = changed(choices, value[at])
    return value


def check_holds(told, taken):
    """Raise unless what was taken is what stands in the file; what is not known may be left out."""
    if isinstance(taken, dict):
        assert isinstance(told, dict)
        for key, value in taken.items():
            check_holds(told[key], value)
    elif isinstance(taken, list | tuple):
        assert len(told) == len(taken)
        for each, value in zip(told, taken, strict=True):
            check_holds(each, value)
    else:
        assert type(told) is type(taken) or {type(told), type(taken)} == {int, float}, (told, taken)
        assert told == taken, (told, taken)


def try_file(choices):
    """Put a hash behind some bytes, damage the whole or not, and ask whether it is whole."""
    content = choices.bytes(choices.number(60))
    last = onnx.ModelProto()
    digest = hashlib.sha256(content).hexdigest()
    last.metadata_props.add(key="file_sha256", value=json.dumps(digest))
    whole = content + last.SerializeToString()
    assert _is_whole(whole)
    at, kind = choices.number(len(whole) - 1), choices.number(3)
    put = choices.bytes(1 + choices.number(3))
    damaged = [
        whole[:at] + put + whole[at + len(put) :],
        whole[:at] + put + whole[at:],
        whole[:at],
        put + whole,
    ][kind]
    assert _is_whole(damaged) is (damaged == whole), damaged
    return damaged == whole
