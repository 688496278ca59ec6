import time

import pytest

from server.seeing.record import OTHER_METHOD, RECEIVED_AT, Record


def test_the_time_of_a_request_is_the_sum_of_its_parts():
    record = Record({"REQUEST_METHOD": "POST", RECEIVED_AT: time.perf_counter() - 0.5})
    for part in ("parse", "model", "store", "answer"):
        record.begin(part)

    seconds = record.end()

    parts = record.parts_ms()
    assert list(parts) == ["wait", "handle", "parse", "model", "store", "answer"]
    assert parts["wait"] >= 500
    assert sum(parts.values()) == pytest.approx(1e3 * seconds, abs=0.01)


def test_server_timing_names_each_part_and_the_total():
    record = Record({"REQUEST_METHOD": "POST"})
    record.begin("parse")

    entries = record.server_timing().split(", ")

    assert [entry.partition(";dur=")[0] for entry in entries] == [
        "wait",
        "handle",
        "parse",
        "total",
    ]
    *parts, total = (float(entry.partition("=")[2]) for entry in entries)
    assert total == pytest.approx(sum(parts), abs=0.01)


def test_a_request_that_predicts_nothing_has_no_server_timing():
    assert Record({"REQUEST_METHOD": "GET"}).server_timing() is None


@pytest.mark.parametrize("method", ["", "BREW", "get", "GET\n", "X" * 1000])
def test_a_method_that_http_does_not_know_is_one_word(method):
    assert Record({"REQUEST_METHOD": method}).method == OTHER_METHOD
