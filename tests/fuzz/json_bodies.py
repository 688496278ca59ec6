"""Bodies of JSON: `PayloadReader.parse`, and `parse_singles` with the same body twice."""

import json

from server.faults import InvalidPayload
from server.payload import PayloadReader
from tests.fuzz import expected, hostile
from tests.fuzz.choices import Choices
from tests.fuzz.expected import (
    FEATURES,
    MOST,
    Refused,
    attempt,
    check_refusal,
    check_same,
    refuse_if,
)

READER = PayloadReader(FEATURES, MOST)
ONE = b'{"x": 1.5, "y, z": null, "n": -3, "k": 1, "word": "w\\u00e9", "hue": "red", "id": "a"}'
SEEDS = [
    ONE,
    b"[" + ONE + b"," + ONE.replace(b"1.5", b"1e38") + b"]",
    b' {"instances": [' + ONE + b"]}",
    ONE.replace(b"-3", b"9223372036854775807"),
    ONE.replace(b"-3", b"9223372036854775808"),
    ONE.replace(b"-3", b"1.0"),
    ONE.replace(b"1.5", b"1" + b"0" * 400),
    ONE.replace(b"1.5", b"NaN"),
    ONE.replace(b"\\u00e9", b"\\ud800"),
    ONE.replace(b'"a"', b'"' + b"a" * 257 + b'"'),
    b"[" * 5_000,
    *(b"\0" + bytes(range(at, at + 200)) for at in range(0, 56, 8)),
]
WORDS = [b'"x":', b'"y, z":', b'"n":', b'"k":', b'"word":', b'"hue":', b'"id":', b'"instances":']
WORDS += [b"null", b"true", b"NaN", b"-Infinity", b"1e39", b"-0.0", b"3.4028236e38", b"1e-46"]
WORDS += [b"\\ud800", b"\\udc00", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"9223372036854775808", b"1E2"]


def try_one(data):
    """Read a body, `data` or, behind a NUL, made of what it decides; return whether it is taken."""
    if data[:1] == b"\0":
        data = made(Choices(data[1:]))
    found, _ = attempt((Refused, ValueError, RecursionError), read, data)
    rows, is_single = found or (None, False)
    instances, error = attempt(InvalidPayload, READER.parse, data)
    if error:
        check_refusal(error, rows, data)
        assert READER.parse_singles([ONE, data])[0] == [0], data
        return False
    assert rows is not None, f"{data!r} is taken"
    assert instances.is_single is is_single
    check_same(instances, rows)
    if is_single:
        places, together = READER.parse_singles([data, b"{}", data])
        # A field that stands twice, first with a wrong value, is left to `parse`.
        assert places in ([0, 2], []), (data, places)
        if places:
            check_same(together, rows * 2)
    return True


def made(choices):
    """Return a body of JSON, or nearly."""
    objects = [hostile.instance(choices, FEATURES) for _ in range(1 + choices.number(MOST))]
    kind = choices.one_of(["one", "list", "instances", "beside"])
    told = {
        "one": objects[0],
        "list": f"[{', '.join(objects)}]",
        "instances": f'{{"instances": [{", ".join(objects)}]}}',
        "beside": f'{{"id": 1, "instances": [{", ".join(objects)}]}}',
    }[kind]
    return told.encode("utf-8", "surrogatepass")


def read(data):
    """Return the rows that a body holds, and whether it is one object."""
    content = json.loads(data.decode("utf-8"), parse_constant=lambda _: refuse_if(True))
    is_single = isinstance(content, dict) and "instances" not in content
    if isinstance(content, dict) and "instances" in content:
        refuse_if(len(content) > 1)
        content = content["instances"]
    content = [content] if is_single else content
    refuse_if(not isinstance(content, list) or not 1 <= len(content) <= MOST)
    return [expected.row(each) for each in content], is_single
