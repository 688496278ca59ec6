import json

import pytest

from server.payload import PayloadReader
from server.tables.ndjson_body import read_ndjson
from tests.server.tables.conftest import FEATURES, ROW, refused

LINE = json.dumps(ROW)


def read(text, max_instances=10):
    body = text if isinstance(text, bytes) else text.encode()
    return read_ndjson(body, PayloadReader(FEATURES, max_instances), max_instances)


@pytest.mark.parametrize(
    "text",
    [
        f"{LINE}\n{LINE}\n",
        f"{LINE}\r\n{LINE}",
        f"\n\n{LINE}\n  \n{LINE}\n\n",
        f"\ufeff{LINE}\n{LINE}\n",
    ],
)
def test_an_object_a_line_is_a_row(text):
    instances = read(text)

    assert list(instances.ids) == ["one", "one"]
    assert list(instances.values["u"]) == [15.5, 15.5]
    assert instances.is_single is False
    assert read(LINE).is_single is False


def test_a_whole_number_of_many_digits_is_a_float32():
    row = json.dumps({**ROW, "u": 10**38})

    assert list(read(row).values["u"]) == [1e38]


def test_every_fault_is_told_with_its_line():
    text = "\n".join(
        [
            LINE,
            "",
            json.dumps({**ROW, "u": True, "mass": 1}),
            "[1, 2]",
            "{",
            '{"u": NaN}',
            json.dumps({**ROW, "KIND": "y"}),
        ]
    )

    status, detail, faults = refused(read, text)

    assert (status, detail) == (422, "9 faults in the body")
    assert faults[:3] == [
        ("/1/mass", "line 3: unknown field: the model takes u, red shift/~, count, kind, KIND"),
        ("/1/u", "line 3: expected a number, got a boolean"),
        ("/2", "line 4: expected an object, got a list"),
    ]
    assert faults[3][0] == "/3"
    assert faults[3][1].startswith("line 5: this is not JSON: ")
    assert ("/4/u", "line 6: NaN is not a finite number") in faults
    assert faults[-1] == ("/5/KIND", 'line 7: "y" is none of "x"')


def test_a_hundred_faults_are_told():
    assert len(refused(read, "{}\n" * 60, 100)[2]) == 100


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no row"),
        ("\n \r\n", "there is no row"),
        (f"{LINE}\n" * 11, "11 rows: send at most 10"),
        (f"{LINE} {LINE}", "line 1: this is not JSON"),
        ('{"u":\n15.5}', "line 1: this is not JSON"),
        (b"\xff\xfe{}", "line 1: this is not UTF-8"),
        ("[" * 100_000, "line 1: this is nested too deeply"),
        ('{"u":1' + "1" * 10_000 + "}", "line 1: beyond float32"),
        (f"[{LINE}]", "line 1: expected an object, got a list"),
    ],
)
def test_what_is_no_object_a_line_is_refused(text, told):
    status, detail, faults = refused(read, text)

    assert status == 422
    assert told in detail + "".join(fault[1] for fault in faults)
