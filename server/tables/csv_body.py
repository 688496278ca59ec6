"""Read CSV as RFC 4180 has it: a line that names the columns, a record a row, nothing guessed."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import numpy as np

from server.column_faults import ColumnFault
from server.column_texts import from_texts
from server.contract import Feature
from server.faults import Fault, InvalidPayload, unprocessable
from server.payload import Instances
from server.tables.checking import check_names, check_values, invalid, too_many

# A field and what ends it. Python's csv does not tell an empty text in quotes from nothing.
_FIELD = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r\n|\n|\r|\Z)')
_LINE_END = re.compile(r"\r\n|\n|\r")
# Fields of one record that are read beyond those of the first line, to say how many there are.
_BEYOND = 1_000


class _Table(NamedTuple):
    names: list[str | None]
    rows: list[list[str | None]]
    # The line on which each row begins, from 1.
    lines: list[int]


def read_csv(body: bytes, features: Sequence[Feature], max_instances: int) -> Instances:
    """Return the rows of a table.

    An empty field is missing, one in quotes is the empty text, an empty line is no row.

    Raises
    ------
    InvalidPayload
        With every fault, its row, its column and its line.
    """
    table = _parse(_decode(body), max_instances, len(features) + _BEYOND)
    _check_shape(table)
    names = [name or "" for name in table.names]
    if faults := check_names(names, features):
        raise invalid(faults)
    columns = dict(zip(names, zip(*table.rows, strict=True), strict=True))
    given: dict[str, Any] = {}
    for feature in features:
        if feature.name in columns:
            given[feature.name], found = _to_column(feature, columns[feature.name])
            faults += found
    if "id" in columns:
        given["id"] = np.array(columns["id"], dtype=object)
    return check_values(given, len(table.rows), features, faults, table.lines)


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        detail = f"the body is not UTF-8: line {line}: {error}"
        raise InvalidPayload(HTTPStatus.BAD_REQUEST, detail) from None


def _parse(text: str, max_instances: int, max_fields: int) -> _Table:
    table = _Table([], [], [])
    record: list[str | None] = []
    line = begin = 1
    end = 0
    for match in _FIELD.finditer(text):
        if match.start() != end:
            break
        end = match.end()
        quoted, plain, ending = match.groups()
        if quoted is None:
            record.append(plain or None)
        else:
            record.append(quoted.replace('""', '"'))
            line += len(_LINE_END.findall(quoted))
        if ending == ",":
            if len(record) > max_fields:
                raise _malformed(begin, f"more than {max_fields} fields")
            continue
        if record != [None]:
            _take(table, record, begin)
            if len(table.rows) > max_instances:
                raise too_many(f"more than {max_instances}", max_instances)
        record = []
        line += 1
        begin = line
    if end < len(text):
        raise _malformed(line, "a quote that is never closed, or one inside of a field: RFC 4180")
    return table


def _take(table: _Table, record: list[str | None], line: int) -> None:
    if not table.names:
        table.names.extend(record)
        return
    table.rows.append(record)
    table.lines.append(line)


def _check_shape(table: _Table) -> None:
    if not table.names:
        raise unprocessable([Fault("", "the body is empty: its first line names the columns")])
    if None in table.names or "" in table.names:
        place = next(n for n, name in enumerate(table.names, 1) if not name)
        raise unprocessable([Fault("", f"line 1: column {place} has no name")])
    if not table.rows:
        raise unprocessable([Fault("", "there is no row: send at least one")])
    width = len(table.names)
    odd = [
        ColumnFault(row, "", f"{len(record)} fields, and the first line names {width} columns")
        for row, record in enumerate(table.rows)
        if len(record) != width
    ]
    if odd:
        raise invalid(odd, table.lines)


def _to_column(feature: Feature, texts: Sequence[str | None]) -> tuple[Any, list[ColumnFault]]:
    column, faults = from_texts(feature, np.array(texts, dtype=object))
    if feature.type != "string":
        # Other readers take it for a missing value: here, as in JSON, it is told of.
        mend = ": leave the field empty" if feature.nullable else ""
        faults += [
            ColumnFault(row, feature.name, f"NaN is not a finite number{mend}")
            for row, text in enumerate(texts)
            if text and text.strip().lower() == "nan"
        ]
    return column, faults


def _malformed(line: int, detail: str) -> InvalidPayload:
    return InvalidPayload(HTTPStatus.BAD_REQUEST, f"the body is not CSV: line {line}: {detail}")
