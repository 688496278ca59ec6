"""What is drawn of a result, and what is not."""

import duckdb
import pytest

from server.sql.chart import HEIGHT, WIDTH, draw
from server.sql.formats import Column


def columns(**kinds):
    return [Column(name, duckdb.sqltype(kind)) for name, kind in kinds.items()]


def test_names_and_numbers_make_bars_from_zero():
    chart = draw(columns(label="VARCHAR", n="BIGINT"), [["STAR", 10], ["QSO", 5], [None, -5]])

    assert not chart.is_line
    tall, half, below = chart.marks
    assert half.height == pytest.approx(tall.height / 2)
    assert below.y == pytest.approx(tall.y + tall.height)
    assert [text for _, text in chart.labels] == ["STAR", "QSO", "NULL"]
    assert chart.told == "n by label: 3 values from -5 to 10"


def test_times_and_numbers_make_a_line():
    rows = [["2026-01-01T00:00:00.000000Z", 1], ["2026-01-01T02:00:00.000000Z", 3]]

    chart = draw(columns(hour="TIMESTAMP", n="BIGINT"), rows)

    assert chart.is_line
    assert chart.path
    assert [text for _, text in chart.labels] == ["2026-01-01 00:00:00", "2026-01-01 02:00:00"]


def test_points_without_an_order_are_not_joined():
    chart = draw(columns(u="FLOAT", g="FLOAT"), [[1, 1], [3, 2], [2, 5]])

    assert (len(chart.marks), chart.path) == (3, "")


@pytest.mark.parametrize(
    ("kinds", "rows"),
    [
        ({"n": "BIGINT"}, [[1], [2]]),
        ({"a": "VARCHAR", "b": "VARCHAR"}, [["x", "y"], ["x", "y"]]),
        ({"a": "VARCHAR", "n": "BIGINT"}, [["x", 1]]),
        ({"a": "VARCHAR", "n": "BIGINT"}, [["x", None], ["y", None]]),
        ({"a": "VARCHAR", "n": "BIGINT"}, [[str(k), k] for k in range(100)]),
        ({"a": "FLOAT", "n": "BIGINT"}, [[None, 1], [None, 2]]),
    ],
)
def test_what_cannot_be_drawn_is_not(kinds, rows):
    assert draw(columns(**kinds), rows) is None


@pytest.mark.parametrize(
    "values",
    [[0, 0], [1e308, -1e308], [5e-324, 0], [10**38, 1], [1, 1], [-7, -3]],
)
@pytest.mark.parametrize("kind", ["VARCHAR", "DOUBLE"])
def test_every_mark_stands_within_the_picture(kind, values):
    rows = [["ab"[k] if kind == "VARCHAR" else value, value] for k, value in enumerate(values)]

    chart = draw(columns(a=kind, n="DOUBLE"), rows)

    for mark in chart.marks:
        assert 0 <= mark.x <= mark.x + mark.width <= WIDTH
        assert 0 <= mark.y <= mark.y + mark.height <= HEIGHT + 1


def test_long_names_are_cut():
    chart = draw(columns(a="VARCHAR", n="DOUBLE"), [["x" * 500, 1], ["y", 2]])

    assert max(len(text) for _, text in chart.labels) <= 35
    assert len(chart.marks[0].told) < 40
