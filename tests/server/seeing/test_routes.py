"""What a request leaves behind: the line of the log, and headers."""

import json
import logging
import re

import pytest

from server.seeing import seeing
from tests.server.conftest import OBJECT

STAR = {**OBJECT, "redshift": -8.96e-06}
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def lines(app):
    """The lines of the app's log."""
    written = []
    app.extensions["sextant"].seeing.log_to(written.append, logging.INFO)
    return written


def test_a_prediction_is_one_line_that_says_where_the_time_went(client, lines):
    answer = client.post("/predict", json=[STAR, STAR], headers={"X-Request-ID": "run-7"})

    (line,) = lines
    parts = line.pop("parts_ms")
    assert list(parts) == ["wait", "handle", "parse", "model", "answer", "store"]
    assert line.pop("duration_ms") == pytest.approx(sum(parts.values()), abs=0.01)
    assert line == {
        "level": "INFO",
        "logger": "server.requests",
        "message": "request",
        "request_id": "run-7",
        "method": "POST",
        "route": "/predict",
        "status": 200,
        "rows": 2,
        "bytes": len(answer.data),
    }


def test_no_value_id_path_or_query_is_logged(client, lines):
    private = "private-4711"
    client.post("/predict", json={**STAR, "id": private, "u": 4711.25})
    client.post("/predict", json={**STAR, private: 1})
    client.get(f"/predictions?id={private}")
    client.get(f"/{private}")
    client.get(f"/sql.json?q=SELECT '{private}'")
    client.post("/", data={"u": private})
    client.open("/", method=private)

    assert len(lines) == 7
    assert private not in json.dumps(lines)
    assert "4711" not in json.dumps(lines)


def test_a_trace_is_taken_logged_and_answered(client, lines):
    answer = client.get("/model", headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})

    (line,) = lines
    assert (line["trace_id"], line["parent_id"]) == (TRACE, SPAN)
    assert answer.headers["traceresponse"] == f"00-{TRACE}-{line['span_id']}-01"


def test_a_malformed_trace_is_none(client, lines):
    answer = client.get("/model", headers={"traceparent": f"00-{TRACE}-{SPAN}"})

    assert "traceresponse" not in answer.headers
    assert "trace_id" not in lines[0]


def test_the_answer_to_a_prediction_says_where_the_time_went(client):
    answer = client.post("/predict", json=STAR)

    found = re.findall(r"(\w+);dur=([0-9.]+)", answer.headers["Server-Timing"])
    *parts, (last, total) = [(name, float(ms)) for name, ms in found]
    assert [name for name, _ in parts] == ["wait", "handle", "parse", "model", "answer", "store"]
    assert last == "total"
    assert total == pytest.approx(sum(ms for _, ms in parts), abs=0.01)


def test_a_body_that_is_refused_ends_in_its_parsing(client):
    answer = client.post("/predict", json={})

    assert re.search(r"parse;dur=[0-9.]+, total;", answer.headers["Server-Timing"])


def test_other_answers_have_no_timing(client):
    assert "Server-Timing" not in client.get("/model").headers


def test_a_slow_request_is_a_warning(make_app):
    app, lines = make_app(slow_request_ms=0.001), []
    app.extensions["sextant"].seeing.log_to(lines.append, logging.WARNING)

    app.test_client().get("/model")

    assert (lines[0]["level"], lines[0]["message"]) == ("WARNING", "slow request")


def test_below_the_level_nothing_is_written_but_what_failed_is(app, client):
    lines = []
    app.extensions["sextant"].seeing.log_to(lines.append, logging.WARNING)
    client.get("/model")
    assert lines == []
    app.extensions["sextant"].is_stopping.set()

    client.get("/health/ready")

    assert [(line["level"], line["status"]) for line in lines] == [("WARNING", 503)]


def test_a_file_is_counted_while_it_is_written(client, lines):
    client.post("/predict", json=[STAR] * 3)
    answer = client.get("/predictions.csv", buffered=True)

    line = lines[-1]
    assert line["bytes"] == len(answer.data) > 100
    assert "broken_off" not in line


def test_a_file_that_is_not_taken_to_its_end_is_said_to_be_broken_off(client, lines):
    client.post("/predict", json=[STAR] * 3)
    answer = client.get("/predictions.csv")

    next(answer.response)
    answer.close()

    assert lines[-1]["broken_off"] is True


def test_an_answer_without_body_has_no_bytes(client, lines):
    client.head("/predictions.csv", buffered=True)
    client.head("/model")
    etag = client.get("/static/style.css", buffered=True).headers["ETag"]
    client.get("/static/style.css", headers={"If-None-Match": etag}, buffered=True)

    assert [
        line["bytes"] for line in lines if line["status"] == 304 or line["method"] == "HEAD"
    ] == [0, 0, 0]
    assert not any("broken_off" in line for line in lines)


def test_routes_that_are_made_up_are_one_word(client, lines):
    for path in ("/x", "/y", "/predictions/no-uuid"):
        client.get(path)

    assert {line["route"] for line in lines} == {seeing.UNMATCHED}
