import json

import numpy as np
import pytest

from server.column_faults import InvalidColumns
from server.columns import read_columns
from server.contract import Feature
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


def texts(*values):
    return np.array(values, dtype=object)


def table(**columns):
    """Return two good rows, with other columns in place of their own."""
    return {
        "u": np.array([15.5, 16.25]),
        "red/shift~": np.array([0.5, np.nan]),
        "count": np.array([3, 4], np.uint8),
        "kind": texts("a", "b"),
        "site": texts("north", "south"),
    } | columns


def faults(**columns):
    with pytest.raises(InvalidColumns) as caught:
        read_columns(table(**columns), 2, FEATURES)
    return [tuple(fault) for fault in caught.value.faults]


def test_columns_become_the_arrays_of_the_model():
    columns = read_columns(table(beside=np.array([1, 2])), 2, FEATURES)

    assert list(columns.arrays) == [each.name for each in FEATURES]
    assert columns.arrays["u"].dtype == np.float32
    assert columns.arrays["count"].dtype == np.int64
    assert columns.arrays["kind"].tolist() == ["a", "b"]
    assert columns.ids is None
    assert columns.warnings() == {}


def test_columns_give_what_the_same_rows_give_as_a_body():
    rows = [
        {"id": "x", "u": 9.1, "red/shift~": None, "count": 12, "kind": "z", "site": "north"},
        {"id": None, "u": 0.1, "red/shift~": 6.1, "count": 1, "kind": "a", "site": "south"},
    ]
    given = {name: np.array([row[name] for row in rows]) for name in ("u", "count")}
    given |= {name: texts(*(row[name] for row in rows)) for name in ("id", "kind", "site")}
    given["red/shift~"] = np.ma.masked_array([0.0, 6.1], [True, False])

    instances = read_columns(given, 2, FEATURES).to_instances()

    wanted = PayloadReader(FEATURES, max_instances=2).parse(json.dumps(rows).encode())
    assert instances.warnings == wanted.warnings
    assert list(instances.ids) == list(wanted.ids)
    for name, values in wanted.values.items():
        assert list(instances.values[name]) == list(values), name
        same = instances.arrays[name] == wanted.arrays[name]
        assert (same | (wanted.arrays[name] != wanted.arrays[name])).all(), name


@pytest.mark.parametrize(
    "column",
    [
        np.array([15, 16], np.int8),
        np.array([15, 16], np.uint64),
        np.array([15.5, 16], np.float16),
        np.array([15.5, 16], np.float32),
    ],
)
def test_numbers_of_any_width_are_numbers(column):
    columns = read_columns(table(u=column), 2, FEATURES)

    assert columns.arrays["u"].tolist() == column.tolist()


def test_what_is_missing_is_masked_or_none_or_nan_or_not_there():
    for column in (
        np.ma.masked_array([1, 2], [True, True]),
        texts(None, None),
        np.array([np.nan, np.nan]),
        None,
    ):
        given = table() if column is None else table(**{"red/shift~": column})
        if column is None:
            del given["red/shift~"]

        columns = read_columns(given, 2, FEATURES)

        assert np.isnan(columns.arrays["red/shift~"]).tolist()[0] in (True, column is None)
        assert len(columns.to_instances().values["red/shift~"]) == 2


@pytest.mark.parametrize(
    ("name", "column", "told"),
    [
        ("u", np.array([1, np.nan]), (1, "null: this feature may not be missing")),
        ("u", np.ma.masked_array([1, 2], [1, 0]), (0, "null: this feature may not be missing")),
        ("u", np.array([1, 1e39]), (1, "beyond float32, which ends at 3.4e38")),
        ("u", np.array([1, -np.inf]), (1, "-Infinity is not a finite number")),
        ("red/shift~", np.array([np.inf, 1]), (0, "Infinity is not a finite number")),
        ("u", np.array([True, False]), (None, "expected numbers, the column holds true and false")),
        ("u", texts("1", "2"), (None, "expected numbers, the column holds text")),
        ("u", np.array(["2020"] * 2, "M8[us]"), (None, "expected numbers, the column holds times")),
        (
            "count",
            np.array([1.0, 2.0]),
            (None, "expected whole numbers, the column holds numbers with a fraction"),
        ),
        ("count", np.array([1, 2**63], np.uint64), (1, "beyond a 64-bit integer")),
        ("kind", np.array([1, 2]), (None, "expected text, the column holds whole numbers")),
        (
            "kind",
            texts("a", [1]),
            (None, "expected text, the column holds lists, structs or bytes"),
        ),
        ("kind", texts("a", "a" * 4097), (1, "4097 characters: at most 4096 are taken")),
        ("kind", texts("a", None), (1, "null: this feature may not be missing")),
        ("site", texts("east", "north"), (0, '"east" is none of "north", "south"')),
        ("site", texts(None, None), (0, "null: this feature may not be missing")),
        ("id", texts("a" * 257, "b"), (0, "257 characters: at most 256 are taken")),
        (
            "id",
            np.array([1.0, 2.0]),
            (None, "expected text, the column holds numbers with a fraction"),
        ),
    ],
)
def test_what_the_model_cannot_take_is_named(name, column, told):
    found = faults(**{name: column})

    assert found[0] == (told[0], name, told[1])


def test_every_fault_is_named_at_once():
    found = faults(u=np.array([np.nan, np.inf]), count=texts("1", "2"))

    assert [(row, name) for row, name, _ in found] == [(0, "u"), (1, "u"), (None, "count")]


def test_a_column_that_lacks_is_named():
    given = table()
    del given["u"]

    with pytest.raises(InvalidColumns) as caught:
        read_columns(given, 2, FEATURES)

    assert caught.value.faults == [(None, "u", "missing")]


def test_ids_that_are_whole_numbers_keep_every_digit():
    columns = read_columns(table(id=np.array([1237668296598749718, 1])), 2, FEATURES)

    assert columns.ids.tolist() == ["1237668296598749718", "1"]


def test_a_table_without_rows_has_columns_all_the_same():
    given = {name: column[:0] for name, column in table().items()}

    columns = read_columns(given, 0, FEATURES)

    assert {len(array) for array in columns.arrays.values()} == {0}
    assert len(columns.to_instances()) == 0
