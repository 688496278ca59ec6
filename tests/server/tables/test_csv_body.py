import time

import pytest

from server.tables.csv_body import read_csv
from tests.server.tables.conftest import FEATURES, ROW, as_csv, refused

HEAD = 'u,"red shift/~",count,kind,KIND,id'
UNKNOWN = "unknown field: the model takes u, red shift/~, count, kind, KIND"
LINE = "15.5,0.5,3,a,x,one"


def read(text, max_instances=10):
    return read_csv(text if isinstance(text, bytes) else text.encode(), FEATURES, max_instances)


def table(*lines, head=HEAD):
    return "\n".join([head, *lines]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        table(LINE),
        table(LINE).replace("\n", "\r\n"),
        table(LINE).replace("\n", "\r"),
        table(LINE).rstrip("\n"),
        "\ufeff" + table(LINE),
        table("", LINE, "", ""),
        table(' 15.5 ,"0.5",+3,"a","x","one"'),
        table("x,a,one,3,0.5,15.5", head="KIND,kind,id,count,red shift/~,u"),
        table("1.55e1,.5,3,a,x,one"),
    ],
)
def test_a_table_is_read_however_it_is_written(text):
    instances = read(text)

    assert {name: list(values) for name, values in instances.values.items()} == {
        name: [ROW[name]] for name in instances.values
    }
    assert list(instances.ids) == ["one"]
    assert instances.is_single is False


def test_an_empty_field_is_missing_and_one_in_quotes_is_the_empty_text():
    instances = read(table('15.5,,3,"",x,', '15.5,,3,"",x,""'))

    assert list(instances.values["red shift/~"]) == [None, None]
    assert list(instances.values["kind"]) == ["", ""]
    assert list(instances.ids) == [None, ""]


def test_fields_in_quotes_hold_commas_quotes_and_lines():
    rows = [{**ROW, "kind": text} for text in ('a,"b"\r\nc', '""', ",", "\n", "x\ty")]

    instances = read(as_csv(rows))

    assert list(instances.values["kind"]) == [row["kind"] for row in rows]
    assert len(instances.warnings[0]) == 1


def test_columns_that_may_be_missing_may_be_left_out():
    instances = read("u,count,kind,KIND\n15.5,3,a,x\n")

    assert list(instances.values["red shift/~"]) == [None]
    assert list(instances.ids) == [None]


def test_every_fault_is_told_with_row_column_and_line():
    text = table(
        "?,0.5,3,a,x,one",
        '15.5,0.5,3,"two\nlines",x,one',
        "15.5,NaN,3.5,a,x,one",
        ",inf,99999999999999999999,,y,one",
        f"15.5,0.5,3,{'k' * 5000},x,{'i' * 300}",
        "1e39,0.5,3,a,x,one",
    )

    status, detail, faults = refused(read, text)

    assert (status, detail) == (422, "11 faults in the body")
    assert sorted(faults) == sorted(
        [
            ("/0/u", 'line 2: expected a number, got "?"'),
            ("/2/red shift~1~0", "line 5: NaN is not a finite number: leave the field empty"),
            ("/2/count", 'line 5: expected a whole number, got "3.5"'),
            ("/3/u", "line 6: null: this feature may not be missing"),
            ("/3/red shift~1~0", 'line 6: expected a number, got "inf"'),
            ("/3/count", "line 6: beyond a 64-bit integer"),
            ("/3/kind", "line 6: null: this feature may not be missing"),
            ("/3/KIND", 'line 6: "y" is none of "x"'),
            ("/4/kind", "line 7: 5000 characters: at most 4096 are taken"),
            ("/4/id", "line 7: 300 characters: at most 256 are taken"),
            ("/5/u", "line 8: beyond float32, which ends at 3.4e38"),
        ]
    )


def test_a_hundred_faults_are_told():
    status, detail, faults = refused(read, table(*["?,?,?,a,x,one"] * 200), 1000)

    assert (status, detail, len(faults)) == (422, "the first 100 faults in the body", 100)
    assert faults[0][0] == "/0/u"
    assert faults[-1][0] == "/33/u"


@pytest.mark.parametrize(
    ("head", "faults"),
    [
        ("u,count,kind", [("/KIND", "missing")]),
        (f"{HEAD},mass", [("/mass", UNKNOWN)]),
        (f"{HEAD},u", [("/u", "two columns bear this name")]),
        (f"{HEAD},id", [("/id", "two columns bear this name")]),
        ("U,count,kind,KIND", [("/U", UNKNOWN)]),
        (f"{HEAD},", [("", "line 1: column 7 has no name")]),
        (f'{HEAD},""', [("", "line 1: column 7 has no name")]),
    ],
)
def test_columns_that_are_not_those_of_the_model_are_named(head, faults):
    values = {"u": "15.5", "count": "3", "kind": "a", "KIND": "x"}
    line = ",".join(values.get(name, "") for name in head.split(","))

    assert refused(read, table(line, head=head))[2] == faults


def test_ragged_rows_are_named():
    text = table(LINE, f"{LINE},", '"two\nlines"', LINE, "1,2")

    assert refused(read, text)[2] == [
        ("/1", "line 3: 7 fields, and the first line names 6 columns"),
        ("/2", "line 4: 1 fields, and the first line names 6 columns"),
        ("/4", "line 7: 2 fields, and the first line names 6 columns"),
    ]


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ("", 422, "its first line names the columns"),
        ("\n\n", 422, "its first line names the columns"),
        (table(), 422, "there is no row"),
        (table('"open'), 400, "line 2: a quote that is never closed"),
        (table(LINE, 'half"way,1,1,a,x,one'), 400, "line 3: a quote"),
        (table('"a"b,1,1,a,x,one'), 400, "line 2: a quote"),
        (table(*[LINE] * 11), 422, "more than 10 rows: send at most 10"),
        (b"\xff\xfe" + table(LINE).encode("utf-16-le"), 400, "not UTF-8: line 1"),
        (table(LINE, "15.5,,3,\xe9,x,").encode("latin-1"), 400, "not UTF-8: line 3"),
        (table("," * 2000), 400, "line 2: more than 1005 fields"),
        ("," * 2000, 400, "line 1: more than 1005 fields"),
        (b"PAR1" + bytes(100) + b"PAR1", 422, ""),
        ("u;count;kind\n1;2;a\n", 422, ""),
        ("{}", 422, "there is no row"),
    ],
)
def test_what_is_no_table_is_refused(text, status, told):
    found, detail, faults = refused(read, text)

    assert found == status
    assert told in detail + "".join(fault[1] for fault in faults)


@pytest.mark.parametrize("text", ['"' * 10**6, '"' * (10**6 + 1), "\n" * 10**6, '"a\n' * 10**6])
def test_a_long_body_of_nothing_is_refused_in_time_that_grows_with_it(text):
    began = time.process_time()
    refused(read, table(text))

    # A second pass over the rest from every quote would take hours.
    assert time.process_time() - began < 30


def test_too_many_rows_are_sent_to_the_command():
    assert "python -m server score" in refused(read, table(*[LINE] * 11))[2][0][1]
