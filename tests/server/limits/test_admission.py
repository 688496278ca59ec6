"""What is beyond the limits is refused at once, and says when to try again."""

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.app import create_app
from server.config import Settings
from server.limits.buckets import caller_of
from server.limits.pace import Pace
from tests.server.conftest import OBJECT, SHIPPED, Running


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Start loops around one app for all that has no rates."""
    database = tmp_path_factory.mktemp("admission") / "predictions.duckdb"
    app = create_app(Settings(model=SHIPPED, database=database))
    started = []

    def start(**settings):
        started.append(Running(app, **settings))
        return started[-1]

    yield start
    app.extensions["sextant"].log.close()


@pytest.fixture
def hold(monkeypatch):
    """Hold every run of the model until it is let go."""
    go = threading.Event()
    model = None

    def held(running):
        nonlocal model
        model = type(running.app.extensions["sextant"].model)
        predict = model.predict
        monkeypatch.setattr(
            model, "predict", lambda *given, **named: (go.wait(20), predict(*given, **named))[1]
        )
        return go

    yield held
    go.set()


def get(running, path):
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    connection.request("GET", path, headers={"X-Request-ID": "mine"})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    connection.close()
    return answer.status, answer.headers, content


def counted(running, reason):
    registry = running.app.extensions["sextant"].seeing.registry
    return registry.get_sample_value("http_server_refused_requests_total", {"reason": reason})


def test_what_would_wait_too_long_is_refused_and_the_rest_is_stored(start, monkeypatch):
    monkeypatch.setattr("server.limits.pace.LEAST", 4)
    monkeypatch.setattr(Pace, "seconds_each", 0.05)
    running = start(max_wait_ms=200)
    try:
        with ThreadPoolExecutor(40) as threads:
            answers = list(threads.map(running.ask, [OBJECT] * 200))
        refused = [answer for answer in answers if answer[0] == 503]
        meanwhile = get(running, "/health/ready")
        deadline = time.monotonic() + 20
        while get(running, "/health/ready")[0] != 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        afterwards = get(running, "/health/ready")[0]
    finally:
        running.stop()

    assert {status for status, _, _ in answers} == {200, 503}
    assert all(headers["Retry-After"] == "1" for _, headers, _ in refused)
    assert all(headers["X-Request-ID"] for _, headers, _ in refused)
    assert "nothing of this one was stored" in refused[0][2]["detail"]
    assert counted(running, "busy") == len(refused)
    assert meanwhile[0] == 503
    assert meanwhile[2]["detail"] == "too many requests wait"
    assert afterwards == 200
    ids = {answer["prediction_id"] for status, _, answer in answers if status == 200}
    with running.log.cursor() as cursor:
        stored = {str(row[0]) for row in cursor.execute("FROM predictions").fetchall()}
    assert stored == ids


def test_one_caller_does_not_take_all_threads(start, hold):
    running = start(threads=2, threads_per_caller=1, max_wait_ms=50)
    try:
        go = hold(running)
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(running.ask, [OBJECT])
            while not running.app.extensions["sextant"].load.at_work:
                time.sleep(0.01)
            second = running.ask([OBJECT])
            health = [get(running, f"/health/{path}")[0] for path in ("live", "ready")]
            go.set()
            status = first.result()[0]
        third = running.ask([OBJECT])[0]
    finally:
        running.stop()

    assert second[0] == 503
    assert second[1]["Retry-After"] == "1"
    assert "of yours are at work" in second[2]["detail"]
    assert health == [200, 200]
    assert (status, third) == (200, 200)


def test_who_comes_while_all_connections_are_at_work_waits_for_room(start, hold):
    running = start(max_connections=2, threads=5, max_wait_ms=5_000)
    try:
        go = hold(running)
        load = running.app.extensions["sextant"].load
        with ThreadPoolExecutor(3) as threads:
            asked = [threads.submit(running.ask, [OBJECT]) for _ in range(3)]
            while load.at_work < 2:
                time.sleep(0.01)
            time.sleep(0.2)
            at_once = load.connections
            go.set()
            statuses = [each.result()[0] for each in asked]
    finally:
        running.stop()

    assert at_once == 2
    assert statuses == [200] * 3


def test_a_request_that_no_thread_takes_is_refused(start, hold):
    running = start(threads=1, max_wait_ms=50, threads_per_caller=5)
    try:
        go = hold(running)
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(running.ask, [OBJECT])
            while not running.app.extensions["sextant"].load.at_work:
                time.sleep(0.01)
            second = running.ask([OBJECT], path="/v2/models/sdss/infer")
            go.set()
            status = first.result()[0]
    finally:
        running.stop()

    assert second[0] == 503
    assert second[2]["error"] == second[2]["detail"]
    assert status == 200


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_is_answered_by_the_loop_as_flask_answers_it(start, path):
    running = start()
    try:
        client = running.app.test_client()
        load = running.app.extensions["sextant"].load
        load._refused_at = -1e9
        told = []
        for is_refusing in (False, True):
            if is_refusing:
                load.refused()
            status, headers, content = get(running, path)
            alone = client.get(path, headers={"X-Request-ID": "mine"})
            assert (status, content) == (alone.status_code, alone.json)
            assert headers["Content-Type"] == alone.headers["Content-Type"]
            assert headers["X-Request-ID"] == "mine"
            assert headers["Retry-After"] == alone.headers.get("Retry-After")
            told.append(status)
    finally:
        running.stop()

    assert told == ([200, 200] if path == "/health/live" else [200, 503])


def test_rates_count_requests_and_rows(tmp_path):
    limits = {"rate_limit": 0.01, "row_rate_limit": 0.02, "rate_burst_s": 300.0}
    settings = Settings(model=SHIPPED, database=tmp_path / "predictions.duckdb", **limits)
    running = Running(create_app(settings))
    try:
        first = running.ask(OBJECT)
        large = running.ask([OBJECT] * 105)
        rows = running.ask(OBJECT)
        third = get(running, "/model")
        running.app.extensions["sextant"].load.requests.take("127.0.0.1", 1)
        requests = get(running, "/model")
        health = get(running, "/health/ready")[0]
    finally:
        running.stop()
        running.log.close()

    assert (first[0], large[0]) == (200, 200)
    assert first[1]["RateLimit-Policy"] == '"requests";q=3;w=300, "rows";q=6;w=300'
    assert first[1]["RateLimit"].startswith('"requests";r=2;t=1, "rows";r=5;t=1')
    assert rows[0] == 429
    assert "SEXTANT_ROW_RATE_LIMIT" in rows[2]["detail"]
    # 100 rows too many, and one more, at a row in 50 s.
    assert 5_000 <= int(rows[1]["Retry-After"]) <= 5_050
    assert third[0] == 200
    assert requests[0] == 429
    assert "SEXTANT_RATE_LIMIT" in requests[2]["detail"]
    assert 1 <= int(requests[1]["Retry-After"]) <= 200
    assert health == 200


def test_a_page_of_a_listed_origin_can_read_why_it_is_refused(tmp_path):
    settings = Settings(
        model=SHIPPED,
        database=tmp_path / "predictions.duckdb",
        cors_origins="https://lab.example.org",
        rate_limit=0.01,
    )
    running = Running(create_app(settings))
    try:
        first, listed, other = (
            running.ask(OBJECT, Origin=f"https://{name}.example.org")
            for name in ("lab", "lab", "other")
        )
    finally:
        running.stop()
        running.log.close()

    assert [first[0], listed[0], other[0]] == [200, 429, 429]
    for _, headers, _ in (first, listed):
        assert headers["Access-Control-Allow-Origin"] == "https://lab.example.org"
        assert "Retry-After" in headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in other[1]
    assert other[1]["Vary"] == "Origin"


@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "0000:0000:0000:0000"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
    ],
)
def test_of_ipv6_a_network_is_one_caller(address, caller):
    assert caller_of(address) == caller
