import numpy as np
import pytest

from server.column_texts import from_texts
from server.contract import Feature


def feature(type_):
    return Feature(
        name="x",
        type=type_,
        unit="",
        meaning="",
        nullable=True,
        range=None,
        domain=None,
        categories=None,
        closed=False,
    )


def read(type_, *texts):
    return from_texts(feature(type_), np.array(texts, dtype=object))


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1.0), (" -1.5e3 ", -1500.0), (".5", 0.5), ("+2.", 2.0), ("7e0", 7.0)]
)
def test_text_that_is_a_number_becomes_it(text, number):
    column, faults = read("float32", text)

    assert column.tolist() == [number]
    assert faults == []


def test_empty_text_is_missing():
    column, faults = read("float32", "", None, "  ", "1")

    assert column.mask.tolist() == [True, True, True, False]
    assert faults == []


@pytest.mark.parametrize(
    "text", ["one", "1_000", "1,5", "0x10", "\u0661", "inf", "true", "1 2", "--1"]
)
def test_text_that_is_no_number_is_named(text):
    _, faults = read("float32", "1", text)

    assert faults == [(1, "x", f'expected a number, got "{text}"')]


def test_whole_numbers_keep_every_digit():
    column, faults = read("int64", "9223372036854775807", "-9223372036854775808", " 7")

    assert column.tolist() == [2**63 - 1, -(2**63), 7]
    assert faults == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1.0", 'expected a whole number, got "1.0"'),
        ("1e3", 'expected a whole number, got "1e3"'),
        ("9223372036854775808", "beyond a 64-bit integer"),
        ("9" * 5000, "beyond a 64-bit integer"),
    ],
)
def test_text_that_is_no_whole_number_of_64_bits_is_named(text, told):
    _, faults = read("int64", text)

    assert faults == [(0, "x", told)]


def test_text_stays_text():
    column, faults = read("string", " a", "", None)

    assert column.tolist() == [" a", "", None]
    assert faults == []
