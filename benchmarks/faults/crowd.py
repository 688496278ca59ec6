"""Connections that say nothing, or too little: to be there while others ask."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus

from benchmarks.faults.server import Server
from benchmarks.malformed_cases import GET, HEAD

# A byte so often holds a connection for ever, where only silence is counted.
_EVERY_S = 0.4
_LONG_ANSWER = GET.replace(b"/health/live", b"/openapi.json")
_DROPPED = "http_server_dropped_connections_total{"


@contextlib.contextmanager
def idle(server: Server, count: int) -> Iterator[None]:
    """Be connected `count` times, and say nothing."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
        yield


@contextlib.contextmanager
def slow(server: Server, count: int) -> Iterator[None]:
    """Send headers byte by byte, bodies byte by byte, and take no answers, a third of each."""
    is_over = threading.Event()
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(socket.socket()) for _ in range(count)]
        for number, connection in enumerate(connections):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.connect(("127.0.0.1", server.port))
            begun = (b"P", HEAD + b"Content-Length: 9000\r\n\r\n", _LONG_ANSWER * 60)[number % 3]
            connection.sendall(begun)
        senders = [each for number, each in enumerate(connections) if number % 3 != 2]
        thread = threading.Thread(target=_trickle, args=(senders, is_over))
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()


def dropped(server: Server) -> int:
    """Return how many connections the server says it has dropped, once it has time to."""
    status, text = server.ask("/metrics")
    while status == HTTPStatus.SERVICE_UNAVAILABLE:
        time.sleep(_EVERY_S)
        status, text = server.ask("/metrics")
    lines = [line for line in text.splitlines() if line.startswith(_DROPPED)]
    return int(sum(float(line.rpartition(" ")[2]) for line in lines))


def _trickle(connections: list[socket.socket], is_over: threading.Event) -> None:
    while not is_over.wait(_EVERY_S):
        for connection in connections:
            with contextlib.suppress(OSError):  # dropped, as it should be
                connection.send(b"a")
