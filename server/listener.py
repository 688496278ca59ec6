"""Waitress as we run it: single predictions together, our own problems, an orderly stop."""

import select
import socket
import threading
import time
from threading import Event
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask

from server.config import Settings
from server.errors import problem, written
from server.routes import Parts, name_of_request
from server.seeing.record import RECEIVED_AT, Record
from server.seeing.seeing import REFUSED
from server.together import MAX_BODY_BYTES, Answer, Together

# A body a few times too large is still read to its end, so that its sender reads our answer
# instead of a broken connection.
_BODY_SLACK = 2
# What accepts our JSON without saying anything else.
_JSON = frozenset(("*/*", "application/json", "application/json, */*", "application/json,*/*"))
# What Flask reads, and so changes the answer.
_FOR_FLASK = frozenset(("CONTENT_ENCODING", "EXPECT", "IDEMPOTENCY_KEY", "TRANSFER_ENCODING"))
# Connections taken in at once; then those that are there get their turn.
_MAX_ACCEPTED = 64
# Who connected just before the stop has this long, in seconds, for the request to come in.
_LAST_CALL_S = 0.2


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 lets the system choose one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


def run(app: Flask, settings: Settings, listening: socket.socket, is_stopping: Event) -> None:
    """Answer requests until `is_stopping` is set, then finish those that have come in.

    Whoever sets `is_stopping` is heard within a quarter of a second.
    """
    parts: Parts = app.extensions["sextant"]
    server = create_server(
        app,
        sockets=[listening],
        threads=settings.threads,
        connection_limit=settings.max_connections,
        max_request_body_size=_BODY_SLACK * settings.max_body_bytes,
        # Bodies and answers stay in memory: the root file system may be read-only.
        inbuf_overflow=_BODY_SLACK * settings.max_body_bytes,
        outbuf_overflow=_BODY_SLACK * settings.max_body_bytes,
        ident="sextant",
    )
    server.channel_class = _Channel
    server.is_stopping = is_stopping
    server.seeing = parts.seeing
    dispatcher = server.task_dispatcher
    parts.seeing.gauges.load = lambda: (dispatcher.active_count, len(dispatcher.queue))
    _answer_together(server, parts, settings)
    while not is_stopping.is_set():
        _turn(server, timeout_s=0.25)
    last_call = time.monotonic() + _LAST_CALL_S
    deadline = time.monotonic() + settings.stop_timeout_s
    # Not by turns: each of them waits for every thread that is at work.
    for _ in range(settings.max_connections - len(server.active_channels)):
        if not select.select([listening], [], [], 0)[0]:
            break
        server.handle_accept()
    wasyncore.dispatcher.close(server)
    while time.monotonic() < min(last_call, deadline) or (
        _is_busy(server) and time.monotonic() < deadline
    ):
        _turn(server, timeout_s=0.05)
    server.task_dispatcher.shutdown(timeout=max(0.0, deadline - time.monotonic()))
    server.pull_trigger.close()
    wasyncore.close_all(server._map)


def _answer_together(server: Any, parts: Parts, settings: Settings) -> None:
    """Have requests for one object answered by the loop, all others by Flask on threads."""

    def add_task(channel: _Channel) -> None:
        if is_for_one(channel.requests[0]):
            server.together.add(_Asked(channel))
        else:
            server.task_dispatcher.add_task(channel)

    def accept_all() -> None:
        # One a turn, as Waitress has it, would make groups of one of clients that connect anew.
        for _ in range(_MAX_ACCEPTED):
            before = len(server._map)
            accept_one()
            if len(server._map) == before:
                break

    accept_one, server.handle_accept = server.handle_accept, accept_all
    server.pull_trigger = _Alarm(server.trigger)
    server.together = Together(parts, settings.commit_timeout_s, server.pull_trigger)
    server.add_task = add_task


class _Alarm:
    """Wakes the loop, which is the thread that makes this, from any other, until it is closed."""

    def __init__(self, trigger: Any) -> None:
        self._trigger = trigger
        self._loop = threading.get_ident()
        self._lock = threading.Lock()
        self._is_open = True

    def __call__(self) -> None:
        if threading.get_ident() == self._loop:
            return
        with self._lock:
            if self._is_open:
                self._trigger.pull_trigger()

    def close(self) -> None:
        """Let go of the trigger: its file may soon be another."""
        with self._lock:
            self._is_open = False
            self._trigger.close()


def is_for_one(request: Any) -> bool:
    """Tell whether a request asks for a prediction of one object, and for nothing besides.

    Parameters
    ----------
    request : waitress.parser.HTTPRequestParser
    """
    headers = request.headers
    return (
        request.error is None
        and request.path == "/predict"
        and request.command == "POST"
        and not request.query
        and headers.get("CONTENT_TYPE") == "application/json"
        and 0 < request.content_length <= MAX_BODY_BYTES
        and headers.get("ACCEPT", "*/*") in _JSON
        and headers.keys().isdisjoint(_FOR_FLASK)
    )


def _turn(server: Any, *, timeout_s: float) -> None:
    wasyncore.loop(timeout=timeout_s, map=server._map, count=1)
    server.together.turn()


def _is_busy(server: Any) -> bool:
    channels = list(server.active_channels.values())
    if any(channel.requests or channel.total_outbufs_len for channel in channels):
        return True
    # Or something has come in that nobody has had the time to read.
    return bool(select.select([channel.socket for channel in channels], [], [], 0)[0])


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # Waitress publishes no types
    """Notes when the whole request has come in: from then on it is we who take time."""

    received_at = 0.0

    def received(self, data: bytes) -> Any:
        taken = super().received(data)
        if self.completed:
            self.received_at = time.perf_counter()
        return taken


class _Asked:
    """A request for one object, on the channel that its answer goes to."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._request = channel.requests[0]
        headers = self._request.headers
        self.request_id = name_of_request(headers.get("X_REQUEST_ID", ""))
        self.record = Record(
            {
                "REQUEST_METHOD": "POST",
                "HTTP_TRACEPARENT": headers.get("TRACEPARENT"),
                RECEIVED_AT: self._request.received_at,
            }
        )
        stream = self._request.get_body_stream()
        self.body: bytes = stream.read()
        stream.seek(0)

    def answer(self, answer: Answer) -> None:
        """Send the answer."""
        self._request.ready = answer
        self._channel.service()

    def pass_on(self) -> None:
        """Give the request to Flask, on a thread of its own."""
        self._channel.server.task_dispatcher.add_task(self._channel)


class _Task(WSGITask):  # type: ignore[misc]  # Waitress publishes no types
    def execute(self) -> None:
        ready: Answer | None = getattr(self.request, "ready", None)
        if ready is None:
            super().execute()
            return
        self.status = ready.status
        self.response_headers = list(ready.headers)
        self.content_length = len(ready.body)
        # In one piece, and so in one call of the system.
        self.channel.write_soon(self.build_response_header() + ready.body)
        self.wrote_header = True

    def get_environment(self) -> Any:
        environ = super().get_environment()
        environ[RECEIVED_AT] = self.request.received_at
        return environ

    def build_response_header(self) -> Any:
        if self.channel.server.is_stopping.is_set():
            self.set_close_on_finish()
        return super().build_response_header()


class _ProblemTask(ErrorTask):  # type: ignore[misc]  # Waitress publishes no types
    """Answers what never reaches the app: malformed HTTP, headers or bodies without measure."""

    def execute(self) -> None:
        error = self.request.error
        # What is no HTTP has no path.
        text, content_type = written(
            problem(error.code, error.body), getattr(self.request, "path", "")
        )
        body = text.encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", content_type))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
        method = getattr(self.request, "command", "")
        record = Record({"REQUEST_METHOD": method, RECEIVED_AT: self.request.received_at})
        record.n_bytes = len(body)
        self.channel.server.seeing.finish(record, REFUSED, error.code, None)


class _Channel(HTTPChannel):  # type: ignore[misc]  # Waitress publishes no types
    parser_class = _Parser
    task_class = _Task
    error_task_class = _ProblemTask
