"""A single prediction is let in, named and refused alike whether Flask sees it or not."""

import http.client
import json
import logging
import socket

import pytest
from flask import g

from server.access.api_keys import make_key
from server.access.headers import SECURITY_HEADERS
from server.app import create_app
from server.config import Settings
from server.together import Together
from tests.server.conftest import OBJECT, SHIPPED
from tests.server.test_together import Running

KEY, LINE = make_key("laptop", "predict")
READER, OTHER = make_key("reader", "read")
# Whoever accepts JSON in this way is answered by Flask, for the loop does not know it.
TO_FLASK = {"Accept": "application/json;q=0.9"}
RIGHT = {"Authorization": f"Bearer {KEY}"}
THROUGH = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Host": "stars.example.org",
    "X-Forwarded-Prefix": "/sextant",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    app = create_app(
        Settings(
            model=SHIPPED,
            database=tmp_path_factory.mktemp("paths") / "predictions.duckdb",
            keys=f"{LINE};{OTHER}",
            trusted_proxies="127.0.0.1",
            allowed_hosts="stars.example.org",
        )
    )
    started = Running(app)
    yield started
    started.stop()
    started.log.close()


def ask(running, headers, method="POST", path="/predict"):
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    try:
        connection.request(
            method, path, json.dumps(OBJECT), {"Content-Type": "application/json", **headers}
        )
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read() or b"null")
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (RIGHT, 200),
        ({}, 401),
        ({"Authorization": f"Bearer {KEY}x"}, 401),
        ({"Authorization": f"Bearer  {KEY}"}, 200),
        ({"Authorization": f"bearer {KEY}"}, 200),
        ({"Authorization": f"Bearer {READER}"}, 403),
        (RIGHT | {"Host": "evil.example"}, 403),
        (RIGHT | {"Host": "localhost"}, 200),
        (RIGHT | {"Origin": "https://evil.example"}, 403),
        (RIGHT | {"Sec-Fetch-Site": "cross-site"}, 403),
        (RIGHT | THROUGH, 200),
        (RIGHT | {**THROUGH, "X-Forwarded-Host": "evil.example"}, 403),
        (THROUGH, 401),
    ],
)
def test_both_paths_let_in_and_refuse_alike(running, headers, status):
    by_loop, by_flask = ask(running, headers), ask(running, headers | TO_FLASK)

    assert by_loop[0] == by_flask[0] == status
    for _, told, answer in (by_loop, by_flask):
        prefix = headers.get("X-Forwarded-Prefix", "")
        if status == 200:
            assert told["Location"] == f"{prefix}/predictions/{answer['prediction_id']}"
        assert {name: told[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert told.get_all("X-Frame-Options") == ["DENY"]
        assert "Set-Cookie" not in told
    if status != 200:
        assert by_loop[2] == by_flask[2]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GARBAGE\r\n\r\n", b" 400 "),
        (b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b" 401 "),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 262_144 + b"\r\n\r\n", b" 431 "),
        (
            b"GET /static/style.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            b" 200 ",
        ),
        (b"HEAD /health/live HTTP/1.0\r\n\r\n", b" 200 "),
    ],
)
def test_whatever_leaves_the_server_tells_browsers_the_same(running, sent, status):
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(sent)
        received = b""
        while piece := connection.recv(65536):
            received += piece

    head = received.partition(b"\r\n\r\n")[0]
    assert status in head.split(b"\r\n")[0]
    for name, value in SECURITY_HEADERS.items():
        assert head.count(f"\r\n{name}: {value}".encode()) == 1
    assert b"Set-Cookie" not in head


def test_the_log_names_the_key_on_both_paths_and_never_holds_it(running, caplog):
    lines = []
    running.app.extensions["sextant"].seeing.log_to(lines.append, logging.INFO)

    for headers in (RIGHT, RIGHT | TO_FLASK, {"Authorization": f"Bearer {KEY}x"}):
        ask(running, headers)

    assert [line.get("key") for line in lines] == ["laptop", "laptop", None]
    assert KEY not in f"{lines}{caplog.text}"


def test_the_caller_has_one_name_on_both_paths(running, monkeypatch):
    named = []
    add = Together.add
    monkeypatch.setattr(
        Together, "add", lambda self, asked: (named.append(asked.caller), add(self, asked))
    )
    running.app.before_request_funcs[None].append(lambda: named.append(g.caller))

    ask(running, RIGHT | THROUGH)
    ask(running, RIGHT | THROUGH | TO_FLASK)
    running.app.before_request_funcs[None].pop()

    assert named == ["laptop", "laptop"]


def test_a_single_prediction_with_a_key_does_not_wait_for_flask(running, monkeypatch):
    monkeypatch.setattr(running.app, "wsgi_app", None)  # whoever calls it fails

    for headers in (RIGHT, RIGHT | THROUGH):
        assert ask(running, headers)[0] == 200
