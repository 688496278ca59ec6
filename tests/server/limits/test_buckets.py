"""A caller may ask for what has come into his bucket, and a large request is paid off."""

import pytest

from server.limits import buckets
from server.limits.buckets import Buckets, Left


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_full_bucket_is_emptied_and_fills_again(clock):
    bucket = Buckets(2.0, burst_s=3.0, clock=clock)
    taken = 0
    while bucket.has_any("a"):
        bucket.take("a", 1)
        taken += 1

    assert taken == 6
    assert bucket.left("a") == Left(units=0, reset_s=1)
    clock.now += 0.5
    assert bucket.has_any("a")
    assert bucket.has_any("b")


def test_what_costs_more_than_there_is_is_paid_off(clock):
    bucket = Buckets(10.0, burst_s=1.0, clock=clock)

    bucket.take("a", 110)

    assert bucket.left("a").reset_s == 11
    clock.now += 10
    assert not bucket.has_any("a")
    clock.now += 0.2
    assert bucket.has_any("a")


def test_a_rate_below_one_lets_one_through_at_a_time(clock):
    bucket = Buckets(0.1, burst_s=1.0, clock=clock)

    bucket.take("a", 1)

    assert not bucket.has_any("a")
    clock.now += 10
    assert bucket.has_any("a")


def test_without_a_rate_nothing_is_counted(clock):
    bucket = Buckets(0.0, burst_s=1.0, clock=clock)

    bucket.take("a", 1e9)

    assert bucket.has_any("a")


def test_callers_are_forgotten_once_they_are_too_many(clock, monkeypatch):
    monkeypatch.setattr(buckets, "_MOST_CALLERS", 3)
    bucket = Buckets(1.0, burst_s=2.0, clock=clock)
    bucket.take("spent", 100)
    for caller in "abcdef":
        bucket.take(caller, 1)
        clock.now += 1

    assert not bucket.has_any("spent")
    assert len(bucket._levels) <= 3
