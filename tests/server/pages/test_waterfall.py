"""The bars of a waterfall, by their numbers and their places."""

import numpy as np
import pytest

from server.pages.waterfall import MINUS, Contributions, draw_waterfall


def number(text):
    return float(text.replace(MINUS, "-"))


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1, 1e5])
def test_the_numbers_add_up_from_the_base_value_to_the_score(scale):
    added = dict(zip("abcdef", np.random.default_rng(0).normal(size=6) * scale, strict=True))

    drawn = draw_waterfall(added, -2 * scale, {})

    total = number(drawn.base) + sum(number(step.adds) for step in drawn.steps)
    assert total == pytest.approx(number(drawn.score), abs=5e-3 * scale)


def test_the_largest_comes_first_whichever_way_it_goes():
    drawn = draw_waterfall({"a": 1.0, "b": -3.0, "c": 2.0}, 0.0, {"a": 1.5, "b": None})

    assert [(step.name, step.value, step.way) for step in drawn.steps] == [
        ("b", None, "down"),
        ("c", None, "up"),
        ("a", 1.5, "up"),
    ]


def test_each_bar_begins_where_the_one_before_it_ended():
    drawn = draw_waterfall({"a": 1.0, "b": -3.0, "c": 2.5}, 7.0, {})

    at = drawn.base_x
    for step in drawn.steps:
        assert at == pytest.approx(step.start if step.way == "up" else step.start + step.width)
        at = step.end
    assert all(0 <= step.start <= step.start + step.width <= 100 for step in drawn.steps)


def test_of_very_many_features_the_smallest_are_one_step():
    added = {f"feature {n}": float(n) for n in range(1, 31)}

    drawn = draw_waterfall(added, 0.0, {})

    assert (drawn.steps[0].name, drawn.steps[-1].name) == ("feature 30", "17 others")
    assert (drawn.steps[-1].is_of_many, number(drawn.steps[-1].adds)) == (True, 153)


def test_features_that_move_nothing_are_one_step():
    drawn = draw_waterfall({"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}, 0.0, {})

    assert [(step.name, step.adds) for step in drawn.steps] == [
        ("a", "+1.000"),
        ("3 others", "0.000"),
    ]


def test_a_waterfall_without_any_movement_is_drawn():
    drawn = draw_waterfall({"a": 0.0, "b": -0.0}, 0.0, {})

    assert [(step.adds, step.width, step.way) for step in drawn.steps] == [("0.000", 0, "none")] * 2


@pytest.mark.parametrize(("label", "sign"), [("yes", 1), ("no", -1)])
def test_with_one_column_the_first_class_counts_the_other_way_round(label, sign):
    table = Contributions("", {"a": 2.0}, 0.5)

    assert table.toward(label, ["no", "yes"]) == ({"a": 2.0 * sign}, 0.5 * sign)


def test_a_class_with_a_column_of_its_own_is_told_from_it():
    table = Contributions("", {"a": {"0": 2.0, "x.y": 3.0}}, {"0": 1.0, "x.y": -1.0})

    assert table.toward("x.y", ["0", "x.y"]) == ({"a": 3.0}, -1.0)
    assert table.score == {"0": 3.0, "x.y": 2.0}
