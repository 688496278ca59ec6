"""A server that stands still for a while goes on where it was."""

import signal
import socket
import time

import pytest

from benchmarks.malformed import statuses
from benchmarks.malformed_cases import HEAD
from tests.server.conftest import OBJECT

pytestmark = pytest.mark.slow


def test_who_was_sending_while_the_server_stood_still_is_not_to_blame(start_server):
    server = start_server(slow_client_s=1.5)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(HEAD + b"Content-Length: 2\r\n")
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        server.process.send_signal(signal.SIGCONT)
        connection.sendall(b"\r\n{}")
        answer = connection.recv(65_536)

    assert statuses(answer) == [422]
    assert server.post("/predict", OBJECT)[0] == 200


def test_the_stop_does_not_wait_for_those_who_are_slow(start_server):
    server = start_server(stop_timeout_s=1)
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    for number, connection in enumerate(slow):
        connection.sendall(HEAD + b"Content-Length: 50\r\n\r\n{" if number % 2 else b"POST")

    code = server.stop(timeout=20)

    for connection in slow:
        connection.close()
    assert code == 0
