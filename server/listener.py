"""Waitress as we run it: problems for what it refuses itself, and an orderly stop."""

import json
import select
import socket
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
from server.errors import PROBLEM_TYPE, problem
from server.seeing.record import RECEIVED_AT, Record
from server.seeing.seeing import REFUSED, Seeing

# A body a few times too large is still read to its end, so that its sender reads our answer
# instead of a broken connection.
_BODY_SLACK = 2
# Who connected just before the stop has this long, in seconds, for the request to come in.
_LAST_CALL_S = 0.2


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 lets the system choose one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


def run(
    app: Flask,
    settings: Settings,
    listening: socket.socket,
    is_stopping: Event,
    seeing: Seeing,
) -> None:
    """Answer requests until `is_stopping` is set, then finish those that have come in.

    Whoever sets `is_stopping` is heard within a quarter of a second.
    """
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
    server.seeing = seeing
    dispatcher = server.task_dispatcher
    seeing.gauges.load = lambda: (dispatcher.active_count, len(dispatcher.queue))
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


def _turn(server: Any, *, timeout_s: float) -> None:
    wasyncore.loop(timeout=timeout_s, map=server._map, count=1)


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


class _Task(WSGITask):  # type: ignore[misc]  # Waitress publishes no types
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
        body = json.dumps(problem(error.code, error.body)).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", PROBLEM_TYPE))
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
