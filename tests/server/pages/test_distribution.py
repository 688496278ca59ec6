"""Where a value lies among the training rows."""

import pytest

from server.explained import Distribution
from server.pages.distribution import place_value

TENTHS = Distribution([float(edge) for edge in range(1, 10)], None, [0.1] * 10, 0.0)
ISLANDS = Distribution(None, ["Biscoe", "Dream"], [0.7, 0.3], 0.0)
FIXED = Distribution([5.0], None, [1.0, 0.0], 0.0)


def place(value, known=TENTHS, **given):
    return place_value("x", "", value, known, **given)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5.3, "greater than about 53 % of the training rows"),
        (1.0, "among the lowest 10 % of the training rows"),
        (9.5, "among the highest 10 % of the training rows"),
        (-0.5, "below all training rows, which end at 0"),
        (1e30, "above all training rows, which end at 10"),
        (float("inf"), "above all training rows, which end at 10"),
        (None, "missing, as in 0 % of the training rows"),
    ],
)
def test_the_place_is_said_in_words(value, words):
    assert place(value, ends=(0.0, 10.0)).words == words


def test_ends_that_leave_some_rows_outside_are_not_said_to_end_them_all():
    words = place(11.0, ends=(0.0, 10.0), outside=0.0005).words

    assert words == "among the highest 0.05 % of the training rows, or beyond them all"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("Dream", "as in 30 % of the training rows"),
        ("<b>", "in none of the training rows"),
        (None, "missing, as in 0 % of the training rows"),
    ],
)
def test_a_category_is_told_by_its_share(value, words):
    assert place(value, ISLANDS).words == words


def test_a_category_beyond_the_frequent_ones_is_not_said_to_be_unknown():
    many = Distribution(None, ["a", "b"], [0.5, 0.3], 0.0)

    assert place("c", many).words == "rarer than the 2 most frequent"


def test_of_few_whole_numbers_the_rows_below_are_counted():
    flags = Distribution([0.0, 1.0], None, [0.6, 0.4, 0.0], 0.0)

    assert place(1.0, flags).words == "greater than about 60 % of the training rows"
    assert place(0.0, flags).words == "among the lowest 60 % of the training rows"


def test_few_whole_numbers_are_drawn_where_they_are():
    flags = Distribution([0.0, 1.0], None, [0.6, 0.4, 0.0], 0.0)

    drawn = place(1.0, flags, ends=(0.0, 1.0))

    low, high = drawn.bars
    assert (low.x < 10, low.height, high.height) == (True, 100, 66.67)
    assert high.x <= drawn.marker <= high.x + high.width


def test_bars_hold_the_share_of_their_width():
    skewed = Distribution([0.0, 0.5, 1.5], None, [0.0, 0.5, 0.5, 0.0], 0.0)

    heights = [bar.height for bar in place(0.5, skewed, ends=(0.0, 1.5)).bars]

    assert max(heights) == 100
    assert heights[-3] == pytest.approx(50, abs=1)


@pytest.mark.parametrize("value", [5.0, 4.0, -1e30, 1e38, float("inf"), None])
@pytest.mark.parametrize("known", [TENTHS, FIXED])
@pytest.mark.parametrize("ends", [(None, None), (1.0, 9.0), (5.0, 5.0), (0.0, None)])
def test_everything_is_drawn_inside(value, known, ends):
    drawn = place(value, known, ends=ends)

    assert drawn.bars
    assert all(0 <= bar.x <= 100 - bar.width and 0 < bar.height <= 100 for bar in drawn.bars)
    assert drawn.marker is None or 0 <= drawn.marker <= 100
    assert (drawn.marker is None) == (value is None)


def test_a_value_beyond_the_axis_is_marked_at_its_end():
    drawn = place(1000.0, ends=(0.0, 10.0))

    assert (drawn.marker, drawn.beyond) == (100, 1)


@pytest.mark.parametrize(
    "known", [Distribution([], None, [0.0], 1.0), Distribution(None, [], [], 1.0)]
)
def test_a_quantity_that_was_always_missing_has_a_page_too(known):
    assert place(None, known).words == "missing, as in 100 % of the training rows"
    assert place(1.0, known).words == "in none of the training rows"
