"""Bodies of labels: what is taken, and every fault with its place."""

import json
from datetime import datetime
from uuid import UUID

import pytest

from server.faults import InvalidPayload
from server.labels.payload import csv_to_json, parse

PREDICTION = "01a200ef-93df-7d68-8ffe-178975ab2c7a"


def faults(content):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(InvalidPayload) as refused:
        parse(body, 10)
    return [tuple(fault) for fault in refused.value.faults] or refused.value.detail


def test_one_label_says_everything():
    label = {
        "prediction_id": PREDICTION,
        "label": "STAR",
        "observed_at": "2026-11-22T14:00:00+02:00",
        "given_by": "spectrograph",
    }

    labels = parse(json.dumps(label).encode(), 10)

    (given,) = labels.given
    assert (given.prediction_id, given.id) == (UUID(PREDICTION), None)
    assert (given.label, given.value, given.given_by) == ("STAR", None, "spectrograph")
    assert list(labels.observed_at) == [datetime(2026, 11, 22, 12)]
    assert labels.is_single


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id": "a", "value": 1}, {"id": "", "value": -2.5e300}]',
        b' {"labels" : [{"id": "a", "value": 1}, {"id": "", "value": -2.5e300}]}',
    ],
)
def test_a_list_is_taken_in_either_shape(body):
    labels = parse(body, 10)

    assert [(each.id, each.value) for each in labels.given] == [("a", 1.0), ("", -2.5e300)]
    assert not labels.is_single


def test_what_may_be_missing_may_be_null():
    label = {"id": "a", "label": "b", "value": None, "observed_at": None, "given_by": None}

    assert parse(json.dumps(label).encode(), 10).observed_at == [None]


@pytest.mark.parametrize(
    ("label", "pointer", "detail"),
    [
        ({"label": "A"}, "", "give one of prediction_id and id: neither is there"),
        (
            {"id": "a", "prediction_id": PREDICTION, "label": "A"},
            "",
            "give one of prediction_id and id: both are there",
        ),
        ({"id": "a"}, "", "give one of label and value: neither is there"),
        ({"id": "a", "label": "A", "value": 1}, "", "give one of label and value: both are there"),
        ({"id": "a", "label": ""}, "/label", "empty: send the name of a class"),
        ({"id": "a", "label": 1}, "/label", "expected a string, got a number"),
        ({"id": "a", "label": ["A"]}, "/label", "expected a string, got a list"),
        ({"id": "a", "label": "x" * 4097}, "/label", "4097 characters: at most 4096 are taken"),
        ({"id": "a", "label": "\ud800"}, "/label", "not valid Unicode: half of a surrogate pair"),
        ({"id": 7, "label": "A"}, "/id", "expected a string, got a number"),
        ({"id": "x" * 257, "label": "A"}, "/id", "257 characters: at most 256 are taken"),
        ({"id": "a", "value": "1"}, "/value", "expected a number, got a string"),
        ({"id": "a", "value": True}, "/value", "expected a number, got a boolean"),
        ({"id": "a", "value": 10**400}, "/value", "beyond a 64-bit float"),
        (
            {"prediction_id": "7", "label": "A"},
            "/prediction_id",
            "expected the id of a prediction, a UUID",
        ),
        (
            {"prediction_id": [], "label": "A"},
            "/prediction_id",
            "expected the id of a prediction, a UUID",
        ),
        (
            {"id": "a", "label": "A", "observed_at": "yesterday"},
            "/observed_at",
            "give a time in UTC such as 2026-11-22 or 2026-11-22T13:45",
        ),
        (
            {"id": "a", "label": "A", "observed_at": 5},
            "/observed_at",
            "expected a string, got a number",
        ),
        (
            {"id": "a", "label": "A", "observed_at": "0001-01-01T00:00+14:00"},
            "/observed_at",
            "give a time in UTC such as 2026-11-22 or 2026-11-22T13:45",
        ),
        (
            {"id": "a", "label": "A", "given_by": {}},
            "/given_by",
            "expected a string, got an object",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(label, pointer, detail):
    assert (pointer, detail) in faults(label)
    assert (f"/labels/1{pointer}", detail) in faults({"labels": [{"id": "a", "value": 1}, label]})


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (b"NaN", "NaN is not a finite number"),
        (b"-Infinity", "-Infinity is not a finite number"),
        (b"1e999", "beyond a 64-bit float"),
    ],
)
def test_what_json_does_not_know_is_no_value(text, detail):
    assert faults(b'{"id": "a", "value": %s}' % text) == [("/value", detail)]


def test_what_is_unknown_is_named_with_its_slashes():
    told = "unknown field: a label has prediction_id, id, label, value, observed_at, given_by"

    assert faults({"id": "a", "label": "A", "tru/th": 1}) == [("/tru~1th", told)]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff", "the body is not UTF-8"),
        (b"[" * 100_000, "the body is nested too deeply"),
    ],
)
def test_what_is_no_json_is_told_as_such(body, told):
    assert told in faults(body)


@pytest.mark.parametrize(
    ("content", "pointer", "told"),
    [
        ([], "", "the list is empty"),
        ({"labels": []}, "/labels", "the list is empty"),
        ({"labels": 7}, "/labels", "expected a list of objects, got a number"),
        ("A", "", "expected an object or a list of objects, got a string"),
        ([{"id": "a", "value": 1}] * 11, "", "11 objects: send at most 10 at a time"),
        ([7], "/0", "expected an object, got a number"),
        ({"labels": [{"id": "a", "value": 1}], "x": 1}, "/x", "unknown field beside labels"),
    ],
)
def test_a_body_without_usable_labels_is_refused(content, pointer, told):
    ((where, detail),) = faults(content)

    assert where == pointer
    assert detail.startswith(told)


def test_a_table_is_a_list_of_labels():
    table = b'\xef\xbb\xbfid,label,value,given_by\r\n"a,b",STAR,,"x ""y"""\r\nc,,1.5,\r\n'

    labels = parse(csv_to_json(table), 10)

    assert [(g.id, g.label, g.value, g.given_by) for g in labels.given] == [
        ("a,b", "STAR", None, 'x "y"'),
        ("c", None, 1.5, None),
    ]


@pytest.mark.parametrize(
    ("table", "pointer"),
    [
        (b"id,value\na,1\nb,nan\n", "/1/value"),
        (b"id,value\na,one\n", "/0/value"),
        (b"id,label,what\na,A,x\n", "/0/what"),
        (b"id,label\na,A,x\n", "/0/"),
    ],
)
def test_a_fault_in_a_table_is_placed_by_its_row(table, pointer):
    assert pointer in [where for where, _ in faults(csv_to_json(table))]


@pytest.mark.parametrize("table", [b'id,label\n"a', b"\xff\xfe"])
def test_what_is_no_table_is_told_as_such(table):
    with pytest.raises(InvalidPayload) as refused:
        parse(csv_to_json(table), 10)

    assert refused.value.status == 400
