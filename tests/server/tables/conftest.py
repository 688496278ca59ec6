"""What the tests of tables share: features of every kind, and files made of them."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from server.contract import Feature
from server.faults import InvalidPayload


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
    feature("red shift/~", nullable=True),
    feature("count", "int64"),
    feature("kind", "string", categories=["a", ""]),
    feature("KIND", "string", categories=["x"], closed=True),
]
ROW = {"u": 15.5, "red shift/~": 0.5, "count": 3, "kind": "a", "KIND": "x", "id": "one"}


def parquet(columns, **options):
    """Return a Parquet file of columns, or of rows."""
    table = pa.Table.from_pylist(columns) if isinstance(columns, list) else pa.table(columns)
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def as_csv(rows):
    """Return rows as CSV, with texts in quotes."""

    def cell(value):
        if value is None:
            return ""
        return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else repr(value)

    lines = [",".join(map(cell, rows[0]))]
    lines += [",".join(cell(row[name]) for name in rows[0]) for row in rows]
    return "".join(f"{line}\r\n" for line in lines).encode()


def refused(read, *given):
    """Return status, detail and faults of what is refused."""
    with pytest.raises(InvalidPayload) as caught:
        read(*given)
    error = caught.value
    return error.status, error.detail, [tuple(fault) for fault in error.faults]
