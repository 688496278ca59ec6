import json
import math

import numpy as np
import pytest

from server.contract import Feature
from server.faults import InvalidPayload, find_instances
from server.payload import PayloadReader


def feature(name, type_="float32", *, nullable=False, range_=None, categories=None, closed=False):
    return Feature(
        name=name,
        type=type_,
        unit="",
        meaning="",
        nullable=nullable,
        range=range_,
        domain=None,
        categories=categories,
        closed=closed,
    )


FEATURES = [
    feature("u", range_=(10.0, 20.0)),
    feature("red/shift~", nullable=True, range_=(-0.1, 5.0)),
    feature("count", "int64", range_=(0, 9)),
    feature("kind", "string", categories=["a", "b"]),
    feature("site", "string", categories=["north", "south"], closed=True),
]
GOOD = {"u": 15.5, "red/shift~": 0.5, "count": 3, "kind": "a", "site": "north"}


@pytest.fixture
def reader():
    return PayloadReader(FEATURES, max_instances=3)


def body(content):
    return json.dumps(content).encode()


def faults(reader, content):
    with pytest.raises(InvalidPayload) as caught:
        reader.parse(content if isinstance(content, bytes) else body(content))
    assert caught.value.status == 422
    return [(fault.pointer, fault.detail) for fault in caught.value.faults]


def test_one_object_is_one_row(reader):
    instances = reader.parse(body(GOOD))

    assert instances.is_single
    assert instances.arrays["u"].tolist() == [15.5]
    assert instances.arrays["u"].dtype == np.float32
    assert instances.arrays["count"].dtype == np.int64
    assert list(instances.values["kind"]) == ["a"]
    assert instances.warnings == [[]]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_list_keeps_its_order(reader, wrapped):
    rows = [{**GOOD, "u": 11.0, "id": "first"}, {**GOOD, "u": 12.0}]

    instances = reader.parse(body({"instances": rows} if wrapped else rows))

    assert not instances.is_single
    assert list(instances.values["u"]) == [11.0, 12.0]
    assert list(instances.ids) == ["first", None]


def test_instances_may_stand_behind_white_space(reader):
    assert len(reader.parse(b' \n{ "instances" : [' + body(GOOD) + b"] }")) == 1


@pytest.mark.parametrize("missing", ["left out", "null"])
def test_what_may_be_missing_becomes_nan(reader, missing):
    row = {**GOOD, "red/shift~": None}
    if missing == "left out":
        del row["red/shift~"]

    instances = reader.parse(body(row))

    assert math.isnan(instances.arrays["red/shift~"][0])
    assert list(instances.values["red/shift~"]) == [None]
    assert instances.warnings == [[]]


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        ({"u": None}, "/u", "null: this feature may not be missing"),
        ({"u": True}, "/u", "expected a number, got a boolean"),
        ({"u": "15"}, "/u", "expected a number, got a string"),
        ({"u": [15]}, "/u", "expected a number, got a list"),
        ({"u": {}}, "/u", "expected a number, got an object"),
        ({"u": 1e39}, "/u", "beyond float32, which ends at 3.4e38"),
        ({"u": -1e39}, "/u", "beyond float32, which ends at 3.4e38"),
        ({"u": 10**400}, "/u", "beyond float32, which ends at 3.4e38"),
        ({"u": 10**4000}, "/u", "beyond float32, which ends at 3.4e38"),
        ({"count": -(10**4000)}, "/count", "beyond a 64-bit integer"),
        ({"u": math.nan}, "/u", "NaN is not a finite number"),
        ({"u": math.inf}, "/u", "Infinity is not a finite number"),
        ({"u": -math.inf}, "/u", "-Infinity is not a finite number"),
        (
            {"red/shift~": math.nan},
            "/red~1shift~0",
            "NaN is not a finite number: leave it out or send null",
        ),
        ({"count": 3.0}, "/count", "3 is not written as a whole number"),
        ({"count": 2**63}, "/count", "beyond a 64-bit integer"),
        ({"count": False}, "/count", "expected a number, got a boolean"),
        ({"kind": 1}, "/kind", "expected a string, got a number"),
        ({"kind": math.nan}, "/kind", "NaN is not a finite number"),
        ({"kind": "\ud800"}, "/kind", "not valid Unicode: half of a surrogate pair"),
        ({"kind": "x" * 4097}, "/kind", "4097 characters: at most 4096 are taken"),
        ({"site": "east"}, "/site", '"east" is none of "north", "south"'),
        ({"site": "x" * 99}, "/site", f'"{"x" * 56}... is none of "north", "south"'),
        ({"id": 7}, "/id", "expected a string, got a number"),
        ({"id": "x" * 257}, "/id", "257 characters: at most 256 are taken"),
        (
            {"g/r": 1},
            "/g~1r",
            "unknown field: the model takes u, red/shift~, count, kind, site",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(reader, change, pointer, detail):
    assert faults(reader, {**GOOD, **change}) == [(pointer, detail)]
    assert faults(reader, [GOOD, {**GOOD, **change}]) == [(f"/1{pointer}", detail)]
    assert faults(reader, {"instances": [{**GOOD, **change}]}) == [
        (f"/instances/0{pointer}", detail)
    ]


def test_every_fault_is_named_at_once(reader):
    found = faults(reader, [{"u": "x", "count": 1, "kind": "a"}, 7, GOOD])

    assert [pointer for pointer, _ in found] == ["/0/u", "/0/site", "/1"]


def test_no_more_than_a_hundred_faults_are_told():
    reader = PayloadReader(FEATURES, max_instances=1_000)

    with pytest.raises(InvalidPayload, match="the first 100 faults") as caught:
        reader.parse(body([{}] * 500))

    assert len(caught.value.faults) == 100


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ([], ""),
        ({"instances": []}, "/instances"),
        (7, ""),
        (None, ""),
        ({"instances": 7}, "/instances"),
    ],
)
def test_a_body_without_objects_is_refused(reader, content, pointer):
    assert [place for place, _ in faults(reader, content)] == [pointer]


def test_too_many_objects_are_refused(reader):
    assert faults(reader, [GOOD] * 4) == [("", "4 objects: send at most 3 at a time")]


def test_a_body_of_nothing_but_strangers_is_refused_in_no_time(reader):
    content = {f"x{number}": 0 for number in range(200_000)}

    assert len(faults(reader, content)) == 100


def test_a_body_with_a_number_of_5000_digits_is_told_where(reader):
    content = b'{"u": ' + b"9" * 5_000 + b', "count": 3, "kind": "a", "site": "north"}'

    assert faults(reader, content) == [("/u", "beyond float32, which ends at 3.4e38")]


def test_a_stranger_beside_instances_is_named(reader):
    found = faults(reader, {"instances": [GOOD], "signature_name": "x"})

    assert found == [("/signature_name", "unknown field beside instances")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"u=15",
        b"\xff\xfe",
        b'{"u": 015}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"u":' * 100_000,
        b'{"kind": "\x01"}',
    ],
)
def test_what_is_not_json_is_a_bad_request(reader, content):
    with pytest.raises(InvalidPayload) as caught:
        reader.parse(content)

    assert caught.value.status == 400


def test_numbers_outside_the_training_range_are_answered_with_a_warning(reader):
    instances = reader.parse(body([GOOD, {**GOOD, "u": 30.25, "count": -1, "kind": "c"}]))

    assert instances.warnings[0] == []
    assert [(w["feature"], w["detail"]) for w in instances.warnings[1]] == [
        ("u", "u = 30.25 is outside the training range 10 to 20"),
        ("count", "count = -1 is outside the training range 0 to 9"),
        ("kind", 'kind = "c" is none of the values the model was trained on'),
    ]


def test_the_largest_float32_passes_both_ways(reader):
    row = {**GOOD, "u": 3.4028235e38}

    assert np.isfinite(reader.parse(body(row)).arrays["u"][0])
    assert find_instances(body(row), FEATURES, 3) == ([row], True, "")


HOSTILE = [
    *(15.5, 0, -0.0, 1e-400, 1e39, 3.5e38, 10**22, -(2**63), 2**63, 7.0),
    *(None, True, "", "a", "north", "\x00", "é", [], {}, math.nan, math.inf),
]


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_the_quick_way_takes_what_the_thorough_way_takes(reader, name, value):
    content = body({**GOOD, name: value})

    try:
        found, _, _ = find_instances(content, FEATURES, 3)
    except InvalidPayload:
        found = None
    try:
        parsed = reader.parse(content)
    except InvalidPayload:
        parsed = None

    assert (found is None) == (parsed is None)
    if found is not None:
        assert [next(iter(column)) for column in parsed.values.values()] == [
            found[0].get(feature.name) for feature in FEATURES
        ]
