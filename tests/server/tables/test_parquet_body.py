import datetime
import decimal
import random
import threading
import uuid

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from server.faults import InvalidPayload
from server.tables import parquet_body
from server.tables.parquet_body import ParquetReader
from tests.server.tables.conftest import FEATURES, ROW, parquet, refused

UNKNOWN = "unknown field: the model takes u, red shift/~, count, kind, KIND"
FRACTIONS = "numbers, the column holds numbers with a fraction"


@pytest.fixture
def reader(tmp_path):
    return ParquetReader(FEATURES, tmp_path / "q[1]*?'", max_instances=100, max_bytes=100_000)


def status_of(reader, body):
    try:
        reader.read(body)
    except InvalidPayload as error:
        return error.status
    return 200


def columns(n=2, **others):
    return {name: [value] * n for name, value in ROW.items()} | others


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "none"},
        {"compression": "zstd", "use_dictionary": False},
        {"compression": "gzip", "data_page_version": "2.0"},
        {"compression": "brotli", "version": "1.0"},
        {"compression": "lz4", "row_group_size": 1},
        {"column_encoding": {"u": "BYTE_STREAM_SPLIT"}, "use_dictionary": False},
    ],
)
def test_a_file_is_read_however_it_is_written(reader, options):
    instances = reader.read(parquet(columns(), **options))

    assert {name: list(values) for name, values in instances.values.items()} == {
        name: [ROW[name]] * 2 for name in instances.values
    }
    assert list(instances.ids) == ["one", "one"]


@pytest.mark.parametrize(
    ("name", "column", "values"),
    [
        ("u", pa.array([15, 16], pa.uint8()), [15, 16]),
        ("u", pa.array([15, 16], pa.int64()), [15, 16]),
        ("u", pa.array(np.array([15.5, 16], np.float16)), [15.5, 16]),
        ("u", pa.array([decimal.Decimal("15.25")] * 2), [15.25, 15.25]),
        ("red shift/~", pa.array([None, 1.5], pa.float32()), [None, 1.5]),
        ("red shift/~", pa.array([None, None]), [None, None]),
        ("red shift/~", pa.array([float("nan"), 1.5], pa.float64()), [None, 1.5]),
        ("count", pa.array([2**63 - 1, -(2**63)], pa.int64()), [2**63 - 1, -(2**63)]),
        ("kind", pa.array(["", "a"]).dictionary_encode(), ["", "a"]),
        ("kind", pa.array(["é", "a\0b"], pa.large_string()), ["é", "a\0b"]),
    ],
)
def test_columns_of_other_types_that_hold_the_same_are_taken(reader, name, column, values):
    instances = reader.read(parquet(columns(**{name: column})))

    assert list(instances.values[name]) == values


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (pa.array([1237668296598749718, None], pa.int64()), ["1237668296598749718", None]),
        (pa.array(["", None]), ["", None]),
        (
            pa.array([uuid.UUID(int=7).bytes] * 2, pa.binary(16)).cast(pa.uuid()),
            [str(uuid.UUID(int=7))] * 2,
        ),
    ],
)
def test_ids_are_text_or_whole_numbers_or_uuids(reader, column, ids):
    assert list(reader.read(parquet(columns(id=column))).ids) == ids


def test_columns_that_may_be_missing_may_be_left_out(reader):
    given = {
        name: values for name, values in columns().items() if name not in ("id", "red shift/~")
    }

    instances = reader.read(parquet(given))

    assert list(instances.values["red shift/~"]) == [None, None]
    assert list(instances.ids) == [None, None]


@pytest.mark.parametrize(
    ("others", "faults"),
    [
        ({"u": [float("inf"), 1.0]}, [("/0/u", "Infinity is not a finite number")]),
        ({"u": [1e39, 1.0]}, [("/0/u", "beyond float32, which ends at 3.4e38")]),
        ({"u": [1.0, None]}, [("/1/u", "null: this feature may not be missing")]),
        ({"u": [True, False]}, [("/u", "expected numbers, the column holds true and false")]),
        ({"u": ["1", "2"]}, [("/u", "expected numbers, the column holds text")]),
        ({"u": [datetime.date.today()] * 2}, [("/u", "expected numbers, the column holds DATE")]),
        ({"u": [[1.0], []]}, [("/u", "expected numbers, the column holds DOUBLE[]")]),
        ({"count": [1.5, 2.0]}, [("/count", f"expected whole {FRACTIONS}")]),
        ({"count": pa.array([2**63, 1], pa.uint64())}, [("/0/count", "beyond a 64-bit integer")]),
        ({"kind": [b"a", b"b"]}, [("/kind", "expected text, the column holds BLOB")]),
        ({"kind": ["k" * 5000, "a"]}, [("/0/kind", "5000 characters: at most 4096 are taken")]),
        ({"id": ["i" * 300, "a"]}, [("/0/id", "300 characters: at most 256 are taken")]),
        ({"id": [1.5, 2.5]}, [("/id", f"expected text, {FRACTIONS[9:]}")]),
        ({"KIND": ["x", "y"]}, [("/1/KIND", '"y" is none of "x"')]),
        ({"mass": [1, 2]}, [("/mass", UNKNOWN)]),
        ({"in": [{"u": 1}] * 2}, [("/in", UNKNOWN)]),
    ],
)  # fmt: skip
def test_what_the_model_cannot_take_is_named(reader, others, faults):
    assert refused(reader.read, parquet(columns(**others)))[::2] == (422, faults)


def test_a_column_that_is_missing_and_one_that_stands_twice_are_named(reader):
    table = pa.table([[1.0], [2.0]], names=["u", "u"])
    file = pa.BufferOutputStream()
    pa.parquet.write_table(table, file)

    faults = refused(reader.read, file.getvalue().to_pybytes())[2]

    assert faults[0] == ("/u", "two columns bear this name")


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        (columns(101), 422, "101 rows: send at most 100 at a time"),
        (columns(0, u=pa.array([], pa.float32())), 422, "there is no row"),
        # A hundred rows of one text of 10 kB, once in the file.
        (columns(100, kind=["k" * 10_000] * 100), 413, "1000400 bytes unpacked"),
        (columns(1, kind=["k" * 200_000]), 413, "bytes unpacked, more than the 100000"),
        ({f"c{n}": [1] for n in range(300)}, 422, "unknown field"),
    ],
)
def test_what_is_too_much_is_refused_before_it_is_read(reader, given, status, told):
    found, detail, faults = refused(reader.read, parquet(given))

    assert found == status
    assert told in detail + "".join(fault[1] for fault in faults)


def test_what_is_no_parquet_is_refused(reader):
    good = parquet(columns())
    for body in (
        b"",
        b"PAR1",
        b"PAR1PAR1",
        b"PAR1" + bytes(4) + b"PAR1",
        b"u,g\n1,2\n",
        good[:-1],
        good[:50] + b"PAR1",
        good[:4] + good[-8:],
        b"PARE" + good[4:-4] + b"PARE",
        good[:-8] + b"\xff\xff\xff\x7fPAR1",
    ):
        status, detail, _ = refused(reader.read, body)
        assert status == 400, body
        assert detail.startswith("the body is not Parquet we can read: ")

    assert len(reader.read(good)) == 2


def test_an_index_that_lies_about_its_rows_is_refused(reader):
    good = parquet(columns(50), compression="none", use_dictionary=False)
    footer = len(good) - 8 - int.from_bytes(good[-8:-4], "little")
    tried = 0
    for place in range(footer, len(good) - 8):
        if good[place] == 100:  # 50 as Thrift has it
            tried += 1
            body = good[:place] + b"\x08" + good[place + 1 :]
            assert status_of(reader, body) in (200, 400, 413, 422)

    assert tried > 5


def test_a_damaged_file_harms_nothing_but_itself(reader):
    good = parquet(columns(100, u=[random.random() for _ in range(100)]))
    chance = random.Random(0)
    for _ in range(300):
        body = bytearray(good)
        for _ in range(chance.choice([1, 1, 2, 8])):
            body[chance.randrange(4, len(body) - 8)] = chance.randrange(256)
        assert status_of(reader, bytes(body)) in (200, 400, 413, 422)

    assert len(reader.read(good)) == 100


def test_a_file_that_breaks_the_reader_is_refused_and_the_next_is_read(reader, monkeypatch):
    good = parquet(columns())
    reader.read(good)
    broken = reader._connection

    def fail(*_):
        raise duckdb.InternalException("INTERNAL Error: damaged")

    with monkeypatch.context() as patch:
        patch.setattr(reader, "_columns", fail)
        status, detail, _ = refused(reader.read, good)
    instances = reader.read(good)

    assert (status, detail.partition(": ")[2]) == (400, "INTERNAL Error: damaged")
    assert len(instances) == 2
    assert reader._connection is not broken


def test_a_file_that_takes_too_long_is_refused(reader, monkeypatch):
    monkeypatch.setattr(parquet_body, "_TIMEOUT_S", 0.1)
    endless = "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b"
    monkeypatch.setattr(reader, "_columns", lambda connection, *_: connection.execute(endless))

    status, detail, _ = refused(reader.read, parquet(columns()))

    assert status == 400
    assert "longer than 0.1 s" in detail


def test_bodies_at_once_are_read_one_after_the_other(reader):
    good = parquet(columns(100))
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(len(reader.read(good)))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [100] * 16


def test_nothing_is_left_behind(reader, tmp_path):
    reader.read(parquet(columns()))
    refused(reader.read, b"PAR1" + bytes(50) + b"PAR1")

    assert list(tmp_path.iterdir()) == []


def test_the_reader_reaches_no_other_file(reader, tmp_path):
    reader.read(parquet(columns()))
    other = tmp_path / "other.parquet"
    other.write_bytes(parquet(columns()))

    with pytest.raises(duckdb.PermissionException):
        reader._connection.execute(f"FROM read_parquet('{other}')")
    with pytest.raises(duckdb.Error):
        reader._connection.execute("SET enable_external_access = true")
