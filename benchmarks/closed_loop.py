"""Ask one server on many connections at once, each as soon as it is answered, from one thread."""

import re
import selectors
import socket
import time
from dataclasses import dataclass, field
from selectors import EVENT_READ

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_RETRY = re.compile(rb"\r\nretry-after: \d+\r\n", re.IGNORECASE)


@dataclass
class Answers:
    """Seconds that each answer took, by status; refusals that do not say when to try again."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    without_retry: int = 0
    broken: int = 0

    def note(self, status: int, seconds: float, head: bytes) -> None:
        """Count one answer."""
        self.seconds.setdefault(status, []).append(seconds)
        if status in (429, 503) and not _RETRY.search(head):
            self.without_retry += 1


@dataclass
class _Asking:
    connection: socket.socket
    sent_at: float
    came: bytes = b""


def keep_asking(port: int, request: bytes, *, connections: int, seconds: float) -> Answers:
    """Send `request` on every connection for so long, and wait for the last answers."""
    answers = Answers()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            _connect(selector, port, request)
        end = time.perf_counter() + seconds
        while selector.get_map():
            for key, _ in selector.select(timeout=1.0):
                asking: _Asking = key.data
                try:
                    is_whole = _read(asking, answers)
                except OSError:
                    selector.unregister(asking.connection)
                    asking.connection.close()
                    answers.broken += 1
                    continue
                if not is_whole:
                    continue
                if time.perf_counter() < end:
                    asking.came, asking.sent_at = b"", time.perf_counter()
                    asking.connection.send(request)
                else:
                    selector.unregister(asking.connection)
                    asking.connection.close()
            if time.perf_counter() > end + 30:
                raise TimeoutError(f"{len(selector.get_map())} requests have no answer")
    return answers


def _connect(selector: selectors.BaseSelector, port: int, request: bytes) -> None:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    connection.send(request)
    selector.register(connection, EVENT_READ, _Asking(connection, time.perf_counter()))


def _read(asking: _Asking, answers: Answers) -> bool:
    """Read what came, and return whether the answer is whole."""
    piece = asking.connection.recv(65_536)
    if not piece:
        raise ConnectionResetError
    asking.came += piece
    head, gap, body = asking.came.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    if not gap or length is None or len(body) < int(length[1]):
        return False
    answers.note(int(head[9:12]), time.perf_counter() - asking.sent_at, head + b"\r\n")
    return True
