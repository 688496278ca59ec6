"""Axes of pictures: round, and never without a bin."""

from datetime import datetime, timedelta

import pytest

from server.browse.axes import number_axis, time_axis, to_time

BEGIN = datetime(2026, 11, 22, 13, 45, 7)


@pytest.mark.parametrize(
    "span_s", [0, 1e-6, 1, 59, 3600, 86_400, 86_400 * 40, 86_400 * 365 * 30, 86_400 * 365 * 900]
)
def test_an_axis_of_time_holds_both_ends_in_few_bins(span_s):
    end = BEGIN + timedelta(seconds=span_s)

    axis = time_axis(BEGIN, end, 80)

    assert 1 <= axis.n <= 80
    assert to_time(axis.low) <= BEGIN
    assert to_time(axis.high) > end
    assert all(0 <= tick.at <= 100 for tick in axis.ticks)
    assert len(axis.ticks) <= 8


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (17.2, 19.6), (-1e-9, 1e-9), (5, 5), (0, 0), (-3e38, 3e38), (1e6, 2e6)],
)
def test_an_axis_of_numbers_has_ticks_at_round_numbers_within(low, high):
    axis = number_axis(low, high, 50)

    assert axis.n == 50
    assert axis.low <= low <= high <= axis.high * (1 + 1e-9)
    assert 2 <= len(axis.ticks) <= 12
    assert all(0 <= tick.at <= 100 for tick in axis.ticks)


def test_ticks_say_as_many_digits_as_tell_them_apart():
    assert [tick.text for tick in number_axis(0, 1, 50).ticks] == [
        *("0.0", "0.2", "0.4", "0.6", "0.8", "1.0"),
    ]
    assert number_axis(-20, 20, 50).ticks[0].text == "\N{MINUS SIGN}20"


@pytest.mark.parametrize(("low", "high"), [(1, 8), (0, 0), (1, 1000), (-(2**62), 2**62)])
def test_bins_of_whole_numbers_are_whole(low, high):
    axis = number_axis(low, high, 60, whole=True)

    assert axis.width == int(axis.width) >= 1
    assert axis.n <= 60
    assert axis.low <= low
    assert axis.high > high
