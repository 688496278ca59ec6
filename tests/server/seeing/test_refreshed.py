import threading
import time

import pytest

from server.seeing.refreshed import Refreshed


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.005)


def test_who_asks_never_waits_for_what_is_computed():
    may_end = threading.Event()

    def compute():
        may_end.wait(10)
        return {"u": 0.5}

    drift = Refreshed(compute, {})

    assert drift() == {}
    may_end.set()
    wait_for(lambda: drift() == {"u": 0.5})


def test_within_the_interval_it_is_computed_once():
    times = []
    drift = Refreshed(lambda: times.append(1) or {"u": len(times)}, {})
    drift()
    wait_for(drift)

    assert [drift() for _ in range(100)] == [{"u": 1}] * 100
    assert len(times) == 1


def test_after_the_interval_it_is_computed_anew():
    times = []
    drift = Refreshed(lambda: times.append(1) or {"u": len(times)}, {}, interval_s=0)

    wait_for(lambda: drift().get("u", 0) >= 3)


def test_what_fails_is_logged_and_leaves_no_old_values(caplog):
    outcomes = iter([{"u": 1.0}])
    drift = Refreshed(lambda: next(outcomes), {}, interval_s=0)
    wait_for(drift)

    wait_for(lambda: drift() == {} and "a gauge cannot be computed" in caplog.text)

    assert drift() == {}
    assert "StopIteration" in caplog.text


def test_after_a_stop_nothing_is_computed_any_more():
    times, may_end = [], threading.Event()
    drift = Refreshed(lambda: times.append(1) or may_end.wait(10), False, interval_s=0)
    drift()
    threading.Timer(0.1, may_end.set).start()

    drift.stop(timeout_s=10)

    assert drift() is True
    assert drift() is True
    assert len(times) == 1


@pytest.fixture(autouse=True)
def _end_threads():
    yield
    for thread in threading.enumerate():
        if thread.name == "refresh":
            thread.join(10)
