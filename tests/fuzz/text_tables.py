"""Bodies of CSV and of NDJSON: `read_csv` and `read_ndjson`."""

import json
import re

from server.faults import InvalidPayload
from server.payload import PayloadReader
from server.tables.csv_body import read_csv
from server.tables.ndjson_body import read_ndjson
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
_HEAD = b'x,"y, z",n,k,word,hue,id\r\n'
_LINE = b'{"x": 1.5, "n": -3, "k": 1, "word": "w", "hue": "red", "id": "a"}\n'
# The first byte says which of the two it is, and whether the rest is a body or decides one.
SEEDS = [
    b"c" + _HEAD + b'1.5,,-3,1,w,red,a\r\n2,1e2,4,2,"a ""b"",\nc",red,\r\n',
    b"c" + _HEAD + b'1.5,,-3,1,"",red,\n\n1.5,,-3,1,b,"red","x"',
    b"c\xef\xbb\xbf" + _HEAD + b"1,NaN,1,1,w,red,a",
    b"c" + _HEAD + b'1,,1,1,w,red,"a"b\n',
    b"n" + _LINE + b"\n" + _LINE,
    b"n\xef\xbb\xbf" + _LINE.replace(b"1.5", b"NaN"),
    *(kind + bytes(range(at, at + 200)) for at in range(0, 56, 8) for kind in (b"C", b"N")),
]
WORDS = [
    b'"y, z"',
    b'""',
    b'","',
    b"\r\n",
    b"\n\n",
    b"\r",
    b"1e39",
    b"NaN",
    b"-0.0",
    b"\xef\xbb\xbf",
]
WORDS += [b'{"x":', b'"n":', b'"word":', b"null", b"true", b"\xff", b"9223372036854775808", b"1.0"]


def try_one(data):
    """Read a table; return whether it was taken."""
    kind, rest = data[:1], data[1:]
    is_csv = kind in b"cC"
    if kind in b"CN":
        rest = (made_csv if is_csv else made_ndjson)(Choices(rest))
    wrong = (Refused, ValueError, RecursionError)
    rows, _ = attempt(wrong, csv_rows if is_csv else ndjson_rows, rest)
    read, how = (read_csv, FEATURES) if is_csv else (read_ndjson, READER)
    instances, error = attempt(InvalidPayload, read, rest, how, MOST)
    if error:
        check_refusal(error, rows, rest)
        return False
    assert rows is not None, f"{rest!r} is taken"
    check_same(instances, rows)
    return True


def made_ndjson(choices):
    """Return lines of JSON, or nearly."""
    lines = [hostile.instance(choices, FEATURES) for _ in range(1 + choices.number(MOST))]
    return choices.one_of(["\n", "\r\n", "\n\n", " \n"]).join(lines).encode("utf-8", "replace")


def made_csv(choices):
    """Return a table, or nearly."""
    names = [feature.name for feature in FEATURES] + ["id"]
    if choices.is_rare():
        names.append(choices.one_of([*names, "u", ""]))
    if choices.is_rare():
        names.remove(choices.one_of(names))
    known = {feature.name: feature for feature in FEATURES}
    lines = [[quoted(name) for name in names]]
    for _ in range(1 + choices.number(MOST)):
        fields = [field(choices, known.get(name)) for name in names]
        if choices.is_rare():
            fields.append("1")
        lines.append(fields)
    end = choices.one_of(["\r\n", "\n", "\r"])
    text = end.join(",".join(fields) for fields in lines) + choices.one_of(["", end, end + end])
    return text.encode("utf-8", "replace")


def field(choices, feature):
    """Return a field."""
    if feature and feature.type != "string":
        if feature.nullable and choices.number(3) == 0:
            return choices.one_of(["", '""'])
        told = hostile.number(choices, feature.type == "int64")
    else:
        told = "red" if feature and feature.closed else hostile.text(choices)
    return told if choices.is_rare() else quoted(told)


def quoted(text):
    """Return a text as a field, in quotes where it needs them."""
    return '"' + text.replace('"', '""') + '"' if re.search('[",\r\n]', text) else text


def ndjson_rows(body):
    """Return the rows of NDJSON."""
    lines = [line for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    refuse_if(not 1 <= len(lines) <= MOST)

    def refuse(_):
        raise Refused

    return [expected.row(json.loads(line.decode(), parse_constant=refuse)) for line in lines]


def csv_rows(body):
    """Return the rows of CSV: an empty field is missing, one in quotes is the empty text."""
    names, *records = [each for each in csv_records(body.decode("utf-8-sig")) if each != [None]]
    refuse_if(not 1 <= len(records) <= MOST)
    refuse_if(any(len(record) != len(names) for record in records))
    refuse_if(None in names or len({*names}) != len(names))
    known = {feature.name: feature for feature in FEATURES}
    return [
        expected.row(
            {name: typed(known.get(name), text) for name, text in zip(names, record, strict=True)}
        )
        for record in records
    ]


def csv_records(text):
    """Read RFC 4180 character by character; None is a field in which nothing stands."""
    records, fields, at = [], [], 0
    while at < len(text):
        if text[at] == '"':
            content, at = "", at + 1
            while text[at : at + 1] != '"' or text[at : at + 2] == '""':
                refuse_if(at >= len(text))
                content, at = content + text[at], at + (2 if text[at] == '"' else 1)
            at += 1
            refuse_if(text[at : at + 1] not in ("", ",", "\r", "\n"))
        else:
            begin = at
            while at < len(text) and text[at] not in ',\r\n"':
                at += 1
            refuse_if(text[at : at + 1] == '"')
            content = text[begin:at] or None
        fields.append(content)
        if text[at : at + 1] == ",":
            at += 1
            if at == len(text):  # nothing stands behind the last comma
                fields.append(None)
        else:
            at += 2 if text[at : at + 2] == "\r\n" else 1
            records, fields = [*records, fields], []
    return [*records, fields] if fields else records


def typed(feature, text):
    """Return a field as the value it is of."""
    if feature is None or feature.type == "string" or text is None:
        return text
    text = text.strip()
    if not text:
        return None
    # A text that is no number stays a text, which is no value of a number.
    if feature.type == "int64":
        return int(text) if re.fullmatch("[+-]?[0-9]{1,4000}", text) else text
    refuse_if(not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII))
    return float(text)
