"""Requests for one object are answered together, and as Flask answers each of them alone."""

import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import duckdb
import pytest

from server import listener, together
from server.app import create_app
from server.config import Settings
from server.storage import open_log
from tests.server.conftest import OBJECT, SHIPPED, Running

RIGHT = [
    OBJECT,
    {**OBJECT, "redshift": None},
    {**OBJECT, "redshift": -8.96e-06, "id": "<b>é</b>"},
    {**OBJECT, "u": 23, "g": 22},
    dict(reversed(OBJECT.items())),
    [OBJECT],
    {"instances": [OBJECT, OBJECT]},
]
WRONG = [
    {},
    {**OBJECT, "u": "1"},
    {**OBJECT, "u": True},
    {**OBJECT, "extra": 1},
    {**OBJECT, "u": 1e39},
    {**OBJECT, "id": "x" * 257},
    {"u": 1},
    [],
    "text",
    None,
]
ODD_BODIES = [b"", b"{", b"\xff{}", b"[" * 5000, b'{"u": NaN}', b'{"u": 1}{"u": 1}']


@pytest.fixture
def run(make_app):
    started = []

    def start(**settings):
        limits = {key: settings[key] for key in ("commit_timeout_s",) if key in settings}
        started.append(Running(make_app(**limits), **settings))
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One for the tests that leave it as it was."""
    database = tmp_path_factory.mktemp("together") / "predictions.duckdb"
    running = Running(create_app(Settings(model=SHIPPED, database=database)))
    yield running
    running.stop()
    running.log.close()


@pytest.fixture
def taken(monkeypatch):
    """Sizes of the groups that were answered together."""
    sizes = []
    parse = listener.Together._predict
    monkeypatch.setattr(
        listener.Together,
        "_predict",
        lambda self, asked: (sizes.append(len(asked)), parse(self, asked))[1],
    )
    return sizes


def comparable(answer):
    """Leave out what is new in every answer, and round what depends on the size of a run."""
    if isinstance(answer, dict):
        new = ("prediction_id", "predicted_at")
        return {key: comparable(value) for key, value in answer.items() if key not in new}
    if isinstance(answer, list):
        return [comparable(value) for value in answer]
    return pytest.approx(answer, abs=2e-6) if isinstance(answer, float) else answer


@pytest.mark.parametrize("body", [*RIGHT, *WRONG, *ODD_BODIES], ids=lambda body: repr(body)[:40])
def test_it_is_answered_as_flask_answers_it(running, body):
    client = running.app.test_client()
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()

    status, headers, answer = running.ask(sent)

    alone = client.post("/predict", data=sent, content_type="application/json")
    assert status == alone.status_code
    assert comparable(answer) == comparable(alone.json)
    assert headers["Content-Type"] == alone.headers["Content-Type"]
    assert {*map(str.lower, headers)} >= {name.lower() for name, _ in alone.headers}
    if "prediction_id" in answer:
        assert headers["Location"] == f"/predictions/{answer['prediction_id']}"
        found = client.get(headers["Location"]).json
        assert found["label"] == answer["label"]
        assert (found["instance"], found["request_id"]) == (0, headers["X-Request-ID"])


def test_what_comes_in_meanwhile_is_one_group_and_everybody_gets_his_own(run, taken, monkeypatch):
    running = run()
    model = running.app.extensions["sextant"].model
    predict = type(model).predict
    monkeypatch.setattr(
        type(model),
        "predict",
        lambda *given, **named: (time.sleep(0.05), predict(*given, **named))[1],
    )
    bodies = [{**OBJECT, "r": 15 + k / 100, "id": str(k)} for k in range(200)]

    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(running.ask, bodies))

    assert sum(taken) == 200
    assert max(taken) > 1
    assert [answer["id"] for _, _, answer in answers] == [body["id"] for body in bodies]
    with running.log.cursor() as cursor:
        stored = cursor.execute("SELECT id, prediction_id::VARCHAR, r FROM predictions").fetchall()
    assert sorted((key, name) for key, name, _ in stored) == sorted(
        (answer["id"], answer["prediction_id"]) for _, _, answer in answers
    )
    assert all(r == pytest.approx(15 + int(key) / 100) for key, _, r in stored)


def test_a_wrong_one_among_right_ones_is_told_and_nobody_else_is(run):
    running = run()
    bodies = [{**OBJECT, "u": "no"} if k % 3 == 0 else OBJECT for k in range(60)]

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(running.ask, bodies))

    assert [status for status, _, _ in answers] == [422 if k % 3 == 0 else 200 for k in range(60)]
    with running.log.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM predictions").fetchone() == (40,)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/predict?explain=false", {}),
        ("/predict", {"Content-Type": "application/json; charset=utf-8"}),
        ("/predict", {"Accept": "application/json;q=0.9, text/html;q=0.1"}),
        ("/predict", {"Content-Encoding": "identity"}),
    ],
)
def test_who_asks_for_more_goes_through_flask(running, taken, path, headers):
    status, _, _ = running.ask(OBJECT, path, **headers)

    assert status == 200
    assert taken == []


def test_a_name_is_kept_and_one_that_cannot_be_used_is_not(running, taken):
    kept = running.ask(OBJECT, **{"X-Request-ID": "mine"})[1]["X-Request-ID"]
    made = running.ask(OBJECT, **{"X-Request-ID": "x" * 129})[1]["X-Request-ID"]

    assert kept == "mine"
    assert len(made) == 32
    assert taken == [1, 1]


def test_a_commit_that_fails_is_a_503_and_the_next_one_is_not(run, monkeypatch):
    running = run()
    commit = open_log.OpenLog.commit

    def fail(*_):
        monkeypatch.setattr(open_log.OpenLog, "commit", commit)
        raise duckdb.TransactionException("No space left on device")

    monkeypatch.setattr(open_log.OpenLog, "commit", fail)

    status, headers, answer = running.ask(OBJECT)

    assert (status, headers["Retry-After"]) == (503, "1")
    assert "cannot be written" in answer["detail"]
    assert running.ask(OBJECT)[0] == 200


@pytest.mark.parametrize("part", ["to_contents", "headers_of"])
def test_a_fault_once_rows_are_handed_in_closes_the_connection_and_stores_once(
    run, monkeypatch, part
):
    running = run()
    works = getattr(together, part)

    def fail(*_, **__):
        monkeypatch.setattr(together, part, works)
        raise MemoryError

    monkeypatch.setattr(together, part, fail)

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        running.ask(OBJECT)

    assert running.ask(OBJECT)[0] == 200
    with running.log.reading() as snapshot:
        stored = snapshot.cursor.execute("SELECT count(*) FROM predictions").fetchone()
    assert stored == (2,)


def test_a_commit_that_takes_too_long_is_a_503(run, monkeypatch):
    running = run(commit_timeout_s=0.3)
    commit, go_on = open_log.OpenLog.commit, threading.Event()
    monkeypatch.setattr(
        open_log.OpenLog, "commit", lambda self, group: (go_on.wait(5), commit(self, group))
    )

    status, _, answer = running.ask(OBJECT)
    go_on.set()

    assert (status, answer["detail"].partition(":")[0]) == (503, "not committed within 0.3 s")


def test_a_full_queue_is_a_503(running):
    running.log._writer._waiting_rows = running.log._writer._max_waiting_rows

    status, headers, answer = running.ask(OBJECT)

    running.log._writer._waiting_rows = 0
    assert (status, headers["Retry-After"]) == (503, "1")
    assert "too many predictions wait" in answer["detail"]


def test_a_fault_of_ours_is_a_500_and_the_loop_goes_on(running, monkeypatch):
    model = running.app.extensions["sextant"].model
    predict = type(model).predict

    def fail(*_, **__):
        raise RuntimeError("no")

    monkeypatch.setattr(type(model), "predict", fail)
    status, _, answer = running.ask(OBJECT)
    monkeypatch.setattr(type(model), "predict", predict)

    assert (status, answer["title"]) == (500, "Internal Server Error")
    assert running.ask(OBJECT)[0] == 200


def raw(running, *requests):
    """Send bytes over one connection and return all that comes back until it is closed."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(b"".join(requests))
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


def request(body, version="1.1", **headers):
    lines = [f"POST /predict HTTP/{version}", "Host: localhost", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_requests_in_a_row_on_one_connection_are_answered_in_their_order(running):
    bodies = [json.dumps({**OBJECT, "id": str(k)}).encode() for k in range(5)]
    wrong = b'{"u": 1}'
    last = request(bodies[4], Connection="close")

    received = raw(
        running, *map(request, bodies[:2]), request(wrong), *map(request, bodies[2:4]), last
    )

    found = [received.find(f'"id":"{k}"'.encode()) for k in range(5)]
    assert found == sorted(found)
    assert -1 not in found
    assert found[1] < received.find(b" 422 ") < found[2]


def test_an_old_client_is_answered_and_let_go(running):
    received = raw(running, request(json.dumps(OBJECT).encode(), version="1.0"))

    assert received.startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"Connection: close\r\n" in received
    assert received.endswith(b"}")


def test_an_answer_sent_the_short_way_has_the_head_of_any_other(running):
    body = json.dumps(OBJECT).encode()
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(request(body))
        short = http.client.HTTPResponse(connection, method="POST")
        short.begin()
        short.read()

    # One that closes is left to Waitress.
    closing = running.ask(body, Connection="close")[1]

    assert short.status == 200
    own = ("Date", "Content-Length", "Location", "X-Request-ID", "Server-Timing")
    assert {(k.lower(), v) for k, v in short.headers.items() if k not in own} == {
        (k.lower(), v) for k, v in closing.items() if k not in (*own, "X-Request-Id", "Connection")
    }
    assert {name.lower() for name in own} <= {name.lower() for name in short.headers}
    assert abs(parsedate_to_datetime(short.headers["Date"]) - datetime.now(UTC)) < timedelta(0, 5)


def test_a_header_read_before_is_read_the_same_with_another_body(running):
    bodies = [json.dumps({**OBJECT, "id": letter}).encode() for letter in "abcab"]

    answers = [running.ask(body)[2]["id"] for body in bodies]
    wrong = running.ask(b"x" * len(bodies[0]))[0]

    assert answers == [*"abcab"]
    assert wrong == 400


def test_a_body_that_looks_like_a_request_is_none(running):
    known = request(json.dumps(OBJECT).encode())
    running.ask(OBJECT)
    raw(running, known + request(b"{}", Connection="close"))  # now its header is known
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        outer = request(b" " * len(known), Connection="close")
        connection.sendall(outer[: -len(known)])
        time.sleep(0.2)
        connection.sendall(known)
        received = b""
        while piece := connection.recv(65536):
            received += piece

    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1 ") == 1


def test_a_few_wait_for_the_commit_under_way_but_not_for_one_that_hangs(run, taken, monkeypatch):
    running = run()
    running.ask(OBJECT)
    commit, go_on = open_log.OpenLog.commit, threading.Event()
    hangs = [True]

    def slowly(self, group):
        if hangs.pop() if hangs else False:
            go_on.wait(10)
        commit(self, group)

    monkeypatch.setattr(open_log.OpenLog, "commit", slowly)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(running.ask, OBJECT)
        while hangs:
            time.sleep(0.001)
        others = [threads.submit(running.ask, OBJECT) for _ in range(3)]
        deadline = time.monotonic() + 5
        # The first and those of before it, then the three, in groups of any size.
        while sum(taken) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        handed_in = sum(taken)
        go_on.set()
        statuses = [each.result()[0] for each in (first, *others)]

    assert handed_in == 5
    assert statuses == [200] * 4


def test_who_leaves_before_the_answer_disturbs_nobody(running):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            connection.sendall(request(json.dumps(OBJECT).encode()))

    assert running.ask(OBJECT)[0] == 200
