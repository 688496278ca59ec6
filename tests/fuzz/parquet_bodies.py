"""Bodies of Parquet, whole and damaged: `ParquetReader`."""

import functools
import io
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from server.faults import InvalidPayload
from server.tables.parquet_body import ParquetReader
from tests.fuzz import expected
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

MOST_BYTES = 100_000
_NUMBERS = [1.5, 0.0, -2.0, 19.25, 1e30, 3.4e38, 1e39, float("inf"), float("nan"), None]
_WHOLE = [1, 2, -7, 0, 2**31, 2**63 - 1, -(2**63), None]
_TEXTS = ["red", "w", "", "b\u00e9", "a" * 256, "a" * 257, "x" * 4_097, None]
_TYPES = {
    "float32": [pa.float32(), pa.float64(), pa.float32(), pa.int32(), pa.null(), pa.string()],
    "int64": [pa.int64(), pa.int64(), pa.int8(), pa.uint64(), pa.float64(), pa.bool_()],
    "string": [pa.string(), pa.string(), pa.large_string(), pa.binary(), pa.list_(pa.string())],
}
SEEDS = [bytes((at + n * step) % 256 for n in range(120)) for at in range(9) for step in (1, 7)]
WORDS = [b"PAR1"]
_UNREAD = (pa.ArrowException, OSError, OverflowError, MemoryError, UnicodeDecodeError)


def try_one(data):
    """Read a file; return whether it was taken."""
    body, is_whole = made(Choices(data))
    instances, error = attempt(InvalidPayload, reader().read, body)
    if error:
        check_refusal(error, rows_of(body) if is_whole else None, body)
        return False
    rows, unread = attempt(_UNREAD, rows_of, body)
    if unread:  # the other reader does not take what is damaged here
        assert not is_whole, body
        return True
    assert rows is not None, f"{body!r} is taken"
    check_same(instances, rows)
    return True


@functools.cache
def reader():
    """Return the server's reader, with a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="sextant-fuzz-"))
    return ParquetReader(FEATURES, folder, max_instances=MOST, max_bytes=MOST_BYTES)


def made(choices):
    """Return a file, and whether it is as it was written."""
    n_rows = 1 + choices.number(MOST)
    names, columns = [], []
    for feature in FEATURES:
        if not choices.is_rare():
            names.append(feature.name)
            columns.append(made_column(choices, feature, n_rows))
    if choices.is_rare():
        names.append(choices.one_of(["id", "u", "X", "x"]))
        columns.append(pa.array(["a"] * n_rows))
    file = io.BytesIO()
    how = {"compression": choices.one_of(["none", "snappy", "zstd", "gzip", "lz4", "brotli"])}
    how |= {
        "use_dictionary": bool(choices.number(1)),
        "data_page_version": choices.one_of(["1.0", "2.0"]),
    }
    pq.write_table(pa.Table.from_arrays(columns, names), file, **how)
    body = file.getvalue()
    damages = choices.number(3) if choices.number(1) else 0
    whole = body
    for _ in range(damages):
        at = choices.number(len(body) - 1)
        put = choices.bytes(1 + choices.number(3))
        body = body[:at] + put + body[at + len(put) * (not choices.is_rare()) :]
    return body, body == whole


def made_column(choices, feature, n_rows):
    """Return a column that is right for a feature, or nearly."""
    kinds, values = _TYPES[feature.type], {"float32": _NUMBERS, "int64": _WHOLE, "string": _TEXTS}
    kind = choices.one_of(kinds[: 6 if choices.is_rare() else 2])
    of = values[feature.type][: 99 if choices.is_rare() else 2]
    of = ["red"] if feature.name == "hue" and not choices.is_rare() else of
    found = [choices.one_of(of) for _ in range(n_rows)]
    try:
        return pa.array(found).cast(kind)
    except (pa.ArrowException, OverflowError):
        return pa.array(found)


def rows_of(body):
    """Return the rows as another reader has them, or None where they should not be taken."""
    table = pq.ParquetFile(io.BytesIO(body)).read()
    try:
        refuse_if(not 1 <= table.num_rows <= MOST or len({*table.column_names}) < table.num_columns)
        columns = {name: typed(name, table.column(name)) for name in table.column_names}
        return [
            expected.row({name: column[at] for name, column in columns.items()})
            for at in range(table.num_rows)
        ]
    except Refused:
        return None


def typed(name, column):
    """Return the values of a column as JSON has them: what is no number is missing."""
    wanted = {feature.name: feature.type for feature in FEATURES}.get(name, "string")
    kind = column.type
    if pa.types.is_null(kind):
        return [None] * len(column)
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    refuse_if(wanted == "float32" and not is_number)
    refuse_if(wanted == "int64" and not pa.types.is_integer(kind))
    refuse_if(
        wanted == "string" and not (pa.types.is_string(kind) or pa.types.is_large_string(kind))
    )
    return [None if each != each else each for each in column.to_pylist()]
