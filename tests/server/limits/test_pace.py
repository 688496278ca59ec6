"""The expected wait is how many wait times how fast they were answered, once enough were."""

from server.limits.pace import LEAST, Pace


def answered(pace, waiting, seconds):
    for _ in range(waiting - pace.waiting):
        pace.came()
    pace.turn(0.0)
    for _ in range(waiting):
        pace.left()
    pace.turn(seconds)


def test_a_slow_model_fills_sooner_than_a_fast_one():
    fast, slow = Pace(), Pace()
    for _ in range(20):
        answered(fast, 100, 0.02)
        answered(slow, 100, 0.5)
    for pace in (fast, slow):
        for _ in range(200):
            pace.came()

    assert not fast.is_full(0.1)
    assert slow.is_full(0.1)


def test_a_few_are_let_in_however_slow_it_was():
    pace = Pace()
    answered(pace, 100, 60.0)
    for _ in range(LEAST - 1):
        pace.came()

    assert not pace.is_full(0.001)
    pace.came()
    assert pace.is_full(0.001)


def test_one_client_alone_says_nothing_of_how_many_can_be_answered():
    pace = Pace()
    first = pace.seconds_each

    for _ in range(100):
        answered(pace, 1, 0.05)

    assert pace.seconds_each == first
