"""The client that overloads a server counts each answer, and each refusal without a time."""

import socket
import threading

import pytest

from benchmarks.closed_loop import keep_asking

ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    b"",
]


@pytest.fixture
def port():
    """A server that gives each connection the next answer, in two pieces, and closes the last."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            for answer in ANSWERS:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(100)
                    connection.sendall(answer[:20])
                    connection.sendall(answer[20:])

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def test_it_counts_answers_refusals_and_broken_connections(port):
    answers = keep_asking(port, b"GET / HTTP/1.1\r\n\r\n", connections=len(ANSWERS), seconds=0.0)

    assert {status: len(took) for status, took in answers.seconds.items()} == {200: 1, 503: 2}
    assert answers.without_retry == 1
    assert answers.broken == 1
