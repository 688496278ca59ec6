"""What a stranger may send: nothing of it is a fault of the server's own, nothing is stored."""

import gzip
import json
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.conftest import OBJECT
from tests.server.v2.conftest import (
    MAX_INSTANCES,
    STAR,
    binary,
    infer,
    packed,
    request_of,
    tensor,
    texts,
)


def count(client):
    return client.get("/v2/models/sdss/stats").json["model_stats"][0]["inference_count"]


def refused(client, *content, **more):
    """Return what is said of a request that is refused, and stores nothing."""
    before = count(client)
    answer = infer(client, *content, **more)
    assert answer.status_code == 400, answer.data
    assert answer.content_type == "application/json"
    assert answer.json["error"] == answer.json["detail"]
    assert count(client) == before
    return answer.json


def changed(**members):
    """Return a request whose input `u` has other members; those that are ... are left out."""
    request = request_of([STAR, STAR])
    each = next(each for each in request["inputs"] if each["name"] == "u")
    each.update(members)
    for member in [key for key, value in each.items() if value is ...]:
        del each[member]
    return request


HUGE = 2**62
SHAPES = [
    ({"shape": []}, "shape [] is not [N] or [N, 1]"),
    ({"shape": [-2]}, "shape [-2] is not [N] or [N, 1]"),
    ({"shape": [-1, -2]}, "shape [-1, -2] is not"),
    ({"shape": [1, 2]}, "each feature is an input of its own"),
    ({"shape": [2, 1, 1]}, "shape [2, 1, 1] is not"),
    ({"shape": [HUGE]}, f"{HUGE} rows: send at most {MAX_INSTANCES}"),
    ({"shape": [10**400]}, "rows: send at most"),
    ({"shape": [0], "data": []}, "no rows: send at least one"),
    ({"shape": [3]}, "input g: 2 rows, and input u has 3"),
    ({"data": [1, 2, 3]}, "3 values, and the shape is [2]"),
    ({"shape": "2"}, "expected `array`, got `str`"),
    ({"shape": [2.0]}, "expected `int`, got `float`"),
    ({"shape": [True, True]}, "expected `int`, got `bool`"),
    ({"shape": list(range(5_000))}, "is not [N] or [N, 1]"),
]
DATA = [
    ({"data": 3}, "data is not a list but 3"),
    ({"data": {"0": 1}}, "data is not a list but"),
    ({"data": [[1], [2]]}, "row 0: expected a number, got [1]"),
    ({"shape": [2, 1], "data": [[1], [2, 3]]}, "row 1: expected a list of one value, got [2, 3]"),
    ({"shape": [2, 1], "data": [[1], 2]}, "row 1: expected a list of one value, got 2"),
    ({"shape": [2, 1], "data": [[[1]], [[2]]]}, "row 0: expected a number, got [1]"),
    ({"data": [1, True]}, "row 1: expected a number, got true"),
    ({"data": [1, "2"]}, 'row 1: expected a number, got "2"'),
    ({"data": [1, None]}, "row 1: null: this feature may not be missing"),
    ({"data": [1, float("nan")]}, "row 1: null: this feature may not be missing"),
    ({"data": [1, float("inf")]}, "row 1: Infinity is not a finite number"),
    ({"data": [1, -(10**400)]}, "row 1: -Infinity is not a finite number"),
    ({"data": [1, 1e39]}, "row 1: beyond float32, which ends at 3.4e38"),
    ({"datatype": "FP31"}, 'datatype "FP31" is none of BOOL, UINT8'),
    ({"datatype": "BF16"}, 'datatype "BF16" is none of'),
    ({"datatype": "FP16"}, "FP16 is taken as binary data only"),
    ({"datatype": "BYTES"}, "row 0: expected a string, got 19.47406"),
    ({"datatype": "BYTES", "data": ["a", "b"]}, "input u: expected numbers, the column holds text"),
    ({"datatype": "INT8"}, "row 0: expected a whole number from -128 to 127, got 19.47406"),
    ({"datatype": "UINT8", "data": [1, -1]}, "row 1: expected a whole number from 0 to 255"),
    ({"datatype": "INT8", "data": [1, 128]}, "row 1: expected a whole number from -128 to 127"),
    ({"datatype": "BOOL", "data": [1, 0]}, "row 0: expected true or false, got 1"),
    ({"data": ...}, "has neither data nor the parameter binary_data_size"),
    ({"data": None}, "has neither data nor the parameter binary_data_size"),
    ({"name": "stranger"}, 'input "stranger": the model takes u, g, r, i, z, redshift'),
    ({"name": "g"}, 'input "g" is there twice'),
    ({"name": ...}, "required field `name`"),
    ({"name": None}, "expected `str`, got `null`"),
    ({"parameters": {"binary_data_size": 8}}, "has both data and the parameter binary_data_size"),
    ({"parameters": {"binary_data_size": -1}}, "binary_data_size is not a number of bytes"),
    ({"parameters": {"binary_data_size": True}}, "binary_data_size is not a number of bytes"),
    ({"parameters": [1]}, "expected `object | null`, got `array`"),
]


@pytest.mark.parametrize(("members", "told"), [*SHAPES, *DATA])
def test_what_is_wrong_with_an_input_is_said_with_its_place(client, members, told):
    said = refused(client, changed(**members))

    assert told in said["error"], said
    assert said["errors"][0]["pointer"].startswith("/inputs")


def test_an_input_that_is_not_there_is_named(client):
    request = request_of([STAR])
    del request["inputs"][0]

    assert refused(client, request)["error"] == "input u: missing"


def test_every_faulty_row_is_told_and_the_first_in_words(client):
    rows = [{**STAR, "u": None, "g": 1e39}] * 5

    said = refused(client, request_of(rows))

    assert said["error"].endswith("and 7 more")
    assert len(said["errors"]) == 10
    assert {each["pointer"] for each in said["errors"]} == {"/inputs/0", "/inputs/1"}


BODIES = [
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (b"\xff\xfe", "not UTF-8"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"inputs":' + b"[" * 100_000, "nested too deeply"),
    (b"null", "the body: expected `object`, got `null`"),
    (b"[]", "the body: expected `object`, got `array`"),
    (b"{}", "required field `inputs`"),
    (b'{"inputs": []}', "no inputs: the model takes u, g, r, i, z, redshift"),
    (b'{"inputs": {}}', "/inputs: expected `array`, got `object`"),
    (b'{"inputs": [3]}', "/inputs/0: expected `object`, got `int`"),
    (b'{"inputs": [], "id": 3}', "/id: expected `str | null`, got `int`"),
    (b'{"inputs": [], "outputs": "label"}', "/outputs: expected `array | null`, got `str`"),
    (b'{"inputs": [], "id": "\\ud800"}', "half of a surrogate pair"),
]


@pytest.mark.parametrize(("body", "told"), BODIES)
def test_a_body_that_is_no_request_is_refused(client, body, told):
    assert told in refused(client, body)["error"]


def test_half_of_a_surrogate_pair_is_no_text(penguins):
    inputs = [tensor("body_mass", [4200]), tensor("age", [3], "INT64")]
    inputs += [tensor(name, ["\ud800"], "BYTES") for name in ("island", "ring colour")]

    answer = infer(penguins, {"inputs": inputs}, path="/v2/models/penguins/infer")

    assert answer.status_code == 400
    assert "half of a surrogate pair" in answer.json["error"]


OUTPUTS = [
    ({"outputs": [{"name": "reasons"}]}, 'output "reasons": there are label, probabilities, head'),
    ({"outputs": [{"name": "label"}] * 2}, 'output "label" is there twice'),
    ({"outputs": [{}]}, "required field `name`"),
    (
        {"outputs": [{"name": "label", "parameters": {"binary_data": "yes"}}]},
        'parameter binary_data: expected true or false, got "yes"',
    ),
    ({"parameters": {"explain": 1}}, "parameter explain: expected true or false, got 1"),
    (
        {"parameters": {"explain": False}, "outputs": [{"name": "novelty"}]},
        'output "novelty" is not computed where explain is false',
    ),
]


@pytest.mark.parametrize(("members", "told"), OUTPUTS)
def test_outputs_that_cannot_be_answered_are_refused(client, members, told):
    assert told in refused(client, request_of([STAR], **members))["error"]


@pytest.mark.parametrize(
    "request_",
    [
        request_of([STAR], outputs=[{"name": "label", "parameters": {"classification": 2}}]),
        request_of(
            [STAR], outputs=[{"name": "label", "parameters": {"shared_memory_region": "x"}}]
        ),
        changed(data=..., parameters={"shared_memory_region": "x"}),
    ],
)
def test_what_the_protocol_has_and_we_have_not_is_501(client, request_):
    assert infer(client, request_).status_code == 501


def sized(size, rest, shape=(2,), datatype="FP32"):
    """Return a request whose input `u` has these bytes, and the others their values in JSON."""
    request = changed(data=..., shape=list(shape), datatype=datatype)
    request["inputs"][0]["parameters"] = {"binary_data_size": size}
    return packed(request, rest)


TWO = np.array([19, 20], "<f4").tobytes()
LYING = [
    (sized(8, TWO[:4]), "add up to 8 bytes, and 4 stand behind"),
    (sized(4, TWO), "add up to 4 bytes, and 8 stand behind"),
    (sized(10**30, TWO), "and 8 stand behind"),
    (sized(4, TWO[:4]), "2 values of FP32 take 8 bytes, and binary_data_size is 4"),
    (sized(8, TWO, datatype="FP64"), "2 values of FP64 take 16 bytes, and binary_data_size is 8"),
    (sized(8, TWO, shape=(2**63, 1)), f"{2**63} rows: send at most"),
    (sized(8, TWO, shape=(1,)), "2 rows, and input u has 1"),
    (sized(8, TWO, datatype="FP31"), 'datatype "FP31" is none of'),
    (sized(4, b"\0\0\0\0", datatype="BYTES"), "2 texts take at least 8 bytes"),
    (sized(8, b"\xff\xff\xff\xff" * 2, datatype="BYTES"), "row 0: the text ends beyond the 8"),
    (sized(8, b"\x04\0\0\0abcd", datatype="BYTES"), "row 1: the text ends beyond the 8"),
    (sized(9, b"\0\0\0\0\0\0\0\0x", datatype="BYTES"), "1 bytes stand behind the last text"),
    (sized(10, b"\x01\0\0\0\xff\x01\0\0\0a", datatype="BYTES"), "row 0: the text is not UTF-8"),
    (sized(10, texts(["a", "b"]), datatype="BYTES"), "expected numbers, the column holds text"),
    (sized(8, np.array([1, np.inf], "<f4").tobytes()), "row 1: Infinity is not a finite number"),
    (sized(8, np.array([np.nan, 1], "<f4").tobytes()), "row 0: null: this feature may not"),
    (sized(16, np.array([1, 1e300]).tobytes(), datatype="FP64"), "row 1: beyond float32"),
]


@pytest.mark.parametrize(("content", "told"), LYING)
def test_bytes_that_are_not_what_is_said_of_them_are_refused(client, content, told):
    assert told in refused(client, *content)["error"]


@pytest.mark.parametrize("length", ["", "-1", "+5", "x", "1e3", "99999999", "9" * 5000, "٣"])
def test_a_length_that_is_none_is_refused(client, length):
    body, _ = binary([STAR])

    said = refused(client, body, {"Inference-Header-Content-Length": length})

    assert "Inference-Header-Content-Length" in said["error"]


PLAIN = json.dumps(request_of([STAR])).encode()
BOMB = gzip.compress(b"0" * 50_000_000)


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (BOMB, "gzip", 413),
        (zlib.compress(b"0" * 50_000_000), "deflate", 413),
        (gzip.compress(BOMB), "gzip", 400),
        (gzip.compress(PLAIN)[:-9], "gzip", 400),
        (gzip.compress(PLAIN)[:-1], "gzip", 400),
        (gzip.compress(PLAIN)[:-8] + b"\0" * 8, "gzip", 400),
        (gzip.compress(PLAIN) + b"more", "gzip", 400),
        (gzip.compress(PLAIN) * 2, "gzip", 400),
        (PLAIN, "gzip", 400),
        (PLAIN, "deflate", 400),
        (gzip.compress(PLAIN), "deflate", 400),
        (b"", "gzip", 400),
        (PLAIN, "br", 415),
        (gzip.compress(PLAIN), "gzip, gzip", 415),
    ],
)
def test_compression_that_is_not_what_it_says_is_refused(client, body, encoding, status):
    before = count(client)

    answer = infer(client, body, {"Content-Encoding": encoding})

    assert answer.status_code == status
    assert answer.json["error"]
    assert count(client) == before


def test_a_true_of_more_than_one_bit_is_one(penguins):
    values = {"body_mass": 4200, "age": 1, "island": "Dream", "ring colour": "red"}
    row = [tensor(name, [value], "BYTES") for name, value in list(values.items())[2:]]
    age = {"name": "age", "shape": [1], "datatype": "BOOL"}
    inputs = [tensor("body_mass", [4200]), {**age, "parameters": {"binary_data_size": 1}}, *row]
    path = "/v2/models/penguins/infer"

    answer = infer(penguins, *packed({"inputs": inputs, "id": "true"}, b"\xfe"), path=path)

    query = {"format": "json", "request": "true"}
    (stored,) = penguins.get("/predictions", query_string=query).json["predictions"]
    assert answer.status_code == 200
    assert stored["inputs"]["age"] == 1


SAFE = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([2**63, 10**400, "NaN", "BYTES", "FP32", "u"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
NAMES = st.sampled_from(["u", "g", "r", "i", "z", "redshift", "id", "label"])
DATATYPES = st.sampled_from(
    ["FP16", "FP32", "FP64", "INT8", "INT64", "UINT8", "UINT64", "BOOL", "BYTES", "bytes"]
)
SIZES = st.integers(-5, 40) | st.sampled_from([2**31, 2**63, 2**64])
TENSORS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "shape": st.lists(st.integers(-1, 4) | st.sampled_from([2**32, 2**63]), max_size=3),
        "datatype": DATATYPES,
    },
    optional={
        "data": ANYTHING | st.lists(st.floats() | st.integers() | st.none(), max_size=4),
        "parameters": st.fixed_dictionaries({"binary_data_size": SIZES}) | ANYTHING,
    },
)


@pytest.mark.slow
@SAFE
@given(inputs=st.lists(TENSORS, max_size=7), rest=st.binary(max_size=60), odd=ANYTHING)
def test_no_request_is_a_fault_of_the_server(client, inputs, rest, odd):
    requests = [{"inputs": inputs}, {"inputs": inputs, "parameters": odd}, {"inputs": odd}]
    for request in requests:
        body, headers = packed(request, rest)

        answers = [infer(client, body, headers), infer(client, body)]

        assert {answer.status_code for answer in answers} <= {200, 400, 501}


@pytest.mark.slow
@SAFE
@given(
    data=st.data(),
    cut=st.integers(0, 400),
    junk=st.binary(max_size=12),
)
def test_a_good_request_with_some_bytes_changed_is_no_fault_either(client, data, cut, junk):
    body, headers = binary([STAR, OBJECT])
    cut = min(cut, len(body))
    length = data.draw(st.integers(0, len(body) + 2))

    for given_headers in (headers, {"Inference-Header-Content-Length": str(length)}):
        for sent in (body[:cut] + junk + body[cut + len(junk) :], body[:cut], body + junk):
            answer = infer(client, sent, given_headers)
            assert answer.status_code in (200, 400, 501), answer.data


@pytest.mark.slow
@SAFE
@given(
    values=st.lists(st.text(st.characters(codec="utf-8"), max_size=9), min_size=1, max_size=4),
    cut=st.integers(0, 60),
    junk=st.binary(max_size=5),
)
def test_texts_are_read_as_they_were_written_or_refused(client, values, cut, junk):
    row = request_of([STAR] * len(values), id="texts")["inputs"]
    named = {"name": "id", "shape": [len(values)], "datatype": "BYTES"}
    written = texts(values)
    broken = written[:cut] + junk

    for rest, is_whole in ((written, True), (broken, broken == written)):
        tensor_ = {**named, "parameters": {"binary_data_size": len(rest)}}
        wanted = [{"name": "prediction_id"}]
        content = packed({"inputs": [tensor_, *row], "outputs": wanted}, rest)
        answer = infer(client, *content)

        assert answer.status_code == 200 if is_whole else answer.status_code in (200, 400)
        if is_whole:
            ids = answer.json["outputs"][0]["data"]
            assert [client.get(f"/predictions/{each}").json["id"] for each in ids] == values
