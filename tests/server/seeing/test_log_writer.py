import json
import logging
import os
import threading

import pytest

from server.seeing import log_writer
from server.seeing.log_writer import LogWriter
from tests.server.seeing.test_refreshed import wait_for

LINE = {
    "level": "INFO",
    "logger": "server.requests",
    "message": "request",
    "request_id": "r1",
    "method": "POST",
    "route": "/predict",
    "status": 200,
    "duration_ms": 2.5,
    "rows": 1,
    "bytes": 10,
    "parts_ms": {"wait": 0.5, "handle": 2},
}


class Log:
    """A writer, and what it wrote."""

    def __init__(self, path, *, is_json):
        self.path = path
        self.target = os.open(path, os.O_WRONLY | os.O_CREAT)
        self.writer = LogWriter(self.target, is_json=is_json, level=logging.INFO)

    def say(self, level, message, *values, error=None):
        told = error and (type(error), error, error.__traceback__)
        record = logging.LogRecord("tests", level, "", 0, message, values, told)
        self.writer.handle(record)

    def lines(self):
        self.writer.close()
        os.close(self.target)
        return self.path.read_text().splitlines()


@pytest.fixture
def json_log(tmp_path):
    return Log(tmp_path / "json", is_json=True)


@pytest.fixture
def text_log(tmp_path):
    return Log(tmp_path / "text", is_json=False)


def test_requests_and_records_are_lines_of_one_form_in_order(json_log):
    json_log.writer.write_request(dict(LINE))
    json_log.say(logging.WARNING, "the disk is %s", "full")

    request, record = map(json.loads, json_log.lines())

    assert {name: value for name, value in request.items() if name != "time"} == LINE
    assert record["message"] == "the disk is full"
    assert list(record)[:4] == list(request)[:4] == ["time", "level", "logger", "message"]
    assert request["time"] <= record["time"]


def test_a_traceback_is_one_line_of_json(json_log):
    try:
        1 / 0  # noqa: B018  # it is to fail
    except ZeroDivisionError as error:
        json_log.say(logging.ERROR, "unexpected", error=error)

    (line,) = json_log.lines()

    assert "ZeroDivisionError: division by zero" in json.loads(line)["exc_info"]


def test_text_is_for_people(text_log):
    text_log.writer.write_request(dict(LINE))
    text_log.writer.write_request({**LINE, "message": "slow request", "level": "WARNING"})

    quick, slow = text_log.lines()

    assert quick.endswith(
        "Z INFO server.requests: POST /predict 200 2.5 ms (wait=0.5 handle=2) "
        "request_id=r1 rows=1 bytes=10"
    )
    assert "Z WARNING server.requests: slow request POST /predict" in slow


def test_nobody_outside_makes_a_line_of_their_own(text_log, json_log):
    for log in (text_log, json_log):
        log.say(logging.INFO, "nothing at %s", "/x\r\n2026-01-01T00:00:00.000Z INFO all is well")

        assert len(log.lines()) == 1


def test_what_is_no_unicode_is_written_all_the_same(json_log):
    json_log.say(logging.INFO, "no text: %s", "\udcff")

    (line,) = json_log.lines()

    assert json.loads(line)["message"] == "no text: \udcff"


def test_a_record_that_does_not_fit_ends_nothing(json_log):
    json_log.say(logging.INFO, "%d rows", "no number")
    json_log.say(logging.INFO, "after it")

    first, second = map(json.loads, json_log.lines())

    assert "a line cannot be written" in first["message"]
    assert second["message"] == "after it"


def test_a_reader_that_stops_reading_stops_nobody_and_is_told_what_it_missed(monkeypatch):
    monkeypatch.setattr(log_writer, "_MAX_WAITING", 500)
    reading, writing = os.pipe()
    writer = LogWriter(writing, is_json=True, level=logging.INFO)
    for _ in range(500):  # fills the pipe, which the writer then hangs in
        writer.write_request(dict(LINE))
    wait_for(lambda: not writer._waiting)
    for _ in range(700):
        writer.write_request(dict(LINE))
    lines = []
    with os.fdopen(reading) as reader:
        taker = threading.Thread(target=lambda: lines.extend(reader))
        taker.start()
        writer.close()
        os.close(writing)
        taker.join(10)

    told = json.loads(lines[-1])
    assert told["message"] == "200 lines of this log are lost: they were not read"
    assert len(lines) == 1001


def test_a_reader_that_is_gone_stops_nobody():
    reading, writing = os.pipe()
    os.close(reading)
    writer = LogWriter(writing, is_json=True, level=logging.INFO)

    writer.write_request(dict(LINE))
    writer.close()
    os.close(writing)

    assert not writer._thread.is_alive()
    assert writer._dropped == 1
