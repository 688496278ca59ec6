"""Who moves too little is dropped, who is idle makes room, and nobody else waits for them."""

import json
import socket
import time

import pytest

from benchmarks.malformed import ask, statuses
from benchmarks.malformed_cases import GET, HEAD
from server.app import create_app
from server.config import Settings
from tests.server.conftest import OBJECT, SHIPPED, Running

BODY = json.dumps(OBJECT).encode()
MOST = 20


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    database = tmp_path_factory.mktemp("slow") / "predictions.duckdb"
    app = create_app(Settings(model=SHIPPED, database=database))
    limits = {"slow_client_s": 0.6, "least_bytes_per_s": 1_000, "idle_timeout_s": 1.0}
    running = Running(app, max_connections=MOST, **limits)
    yield running
    running.stop()
    running.log.close()


def connect(running):
    return socket.create_connection(("127.0.0.1", running.port), timeout=20)


def read_to_end(connection):
    came = b""
    try:
        while piece := connection.recv(65_536):
            came += piece
    except ConnectionResetError:
        pass
    return came


def trickle(connection, sent, pause_s):
    """Send byte by byte, until it is refused or all of it is sent."""
    try:
        for byte in sent:
            connection.send(bytes([byte]))
            time.sleep(pause_s)
    except OSError:  # dropped
        pass


def dropped(running, reason):
    registry = running.app.extensions["sextant"].seeing.registry
    found = registry.get_sample_value("http_server_dropped_connections_total", {"reason": reason})
    assert found is not None
    return found


@pytest.mark.parametrize(
    "begun", [b"", HEAD + b"Content-Length: 500\r\n\r\n"], ids=["head", "body"]
)
def test_a_byte_now_and_then_holds_no_connection(running, begun):
    before = dropped(running, "slow request")
    with connect(running) as connection:
        connection.sendall(begun)
        trickle(connection, b"GET / HTTP/1.1\r\nA: " + b"a" * 60, 0.05)
        came = read_to_end(connection)

    assert statuses(came) in ([408], [])
    assert dropped(running, "slow request") == before + 1


def test_a_body_that_moves_may_take_as_long_as_it_needs(running):
    with connect(running) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % (len(BODY) + 8_000))
        for _ in range(20):
            connection.sendall(b" " * 400)
            time.sleep(0.1)
        connection.sendall(BODY)
        connection.shutdown(socket.SHUT_WR)
        came = read_to_end(connection)

    assert statuses(came) == [200]


def test_an_answer_that_is_not_taken_is_dropped(running):
    before = dropped(running, "slow reader")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(("127.0.0.1", running.port))
        connection.sendall(GET.replace(b"/health/live", b"/openapi.json") * 60)
        deadline = time.monotonic() + 20
        while dropped(running, "slow reader") == before and time.monotonic() < deadline:
            time.sleep(0.1)

    assert dropped(running, "slow reader") == before + 1


def test_a_new_client_is_let_in_though_all_connections_are_taken(running):
    before = dropped(running, "room")
    idle = [connect(running) for _ in range(3 * MOST)]
    slow = [connect(running) for _ in range(MOST)]
    for connection in slow:
        connection.send(b"GET")

    status = running.ask(OBJECT)[0]
    came = ask(running.port, GET)

    for connection in (*idle, *slow):
        connection.close()
    assert status == 200
    assert statuses(came) == [200]
    assert dropped(running, "room") >= before + 2 * MOST


def test_an_idle_connection_is_closed_and_empty_lines_do_not_keep_it(running):
    before = dropped(running, "idle")
    with connect(running) as connection:
        trickle(connection, b"\r\n" * 100, 0.03)
        came = read_to_end(connection)

    assert came == b""
    assert dropped(running, "idle") == before + 1


def test_what_is_held_for_all_together_is_bounded(tmp_path):
    app = create_app(Settings(model=SHIPPED, database=tmp_path / "predictions.duckdb"))
    small = Running(app, max_held_bytes=1_000_000)
    try:
        connections = [connect(small) for _ in range(4)]
        for number, connection in enumerate(connections, 1):
            connection.sendall(HEAD + b"Content-Length: 9000000\r\n\r\n" + b" " * 150_000 * number)
        came = read_to_end(connections[-1])
        deadline = time.monotonic() + 20
        while dropped(small, "memory") < 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        connections[0].sendall(b" ")
    finally:
        for connection in connections:
            connection.close()
        small.stop()
        small.log.close()

    assert came == b""
    assert dropped(small, "memory") == 1
