"""Waitress as we run it: single predictions together, our own problems, an orderly stop."""

import select
import socket
import threading
import time
from threading import Event
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from server.access.gate import Gate
from server.channel import Asked, Channel, is_for_one
from server.config import Settings
from server.together import Together
from server.web import Parts

# A body a few times too large is still read to its end, so that its sender reads our answer
# instead of a broken connection.
_BODY_SLACK = 2
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
        # Our own proxies are told from others by the gate.
        clear_untrusted_proxy_headers=False,
        ident="sextant",
    )
    server.channel_class = Channel
    server.is_stopping = is_stopping
    server.seeing = parts.seeing
    dispatcher = server.task_dispatcher
    parts.seeing.gauges.load = lambda: (dispatcher.active_count, len(dispatcher.queue))
    gate: Gate = app.extensions["sextant-gate"]
    _answer_together(server, parts, gate, settings)
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


def _answer_together(server: Any, parts: Parts, gate: Gate, settings: Settings) -> None:
    """Have requests for one object answered by the loop, all others by Flask on threads."""

    def add_task(channel: Channel) -> None:
        request = channel.requests[0]
        if is_for_one(request) and (admitted := gate.admit(channel.addr[0], request.headers)):
            server.together.add(Asked(channel, admitted))
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


def _turn(server: Any, *, timeout_s: float) -> None:
    wasyncore.loop(timeout=timeout_s, map=server._map, count=1)
    server.together.turn()


def _is_busy(server: Any) -> bool:
    channels = list(server.active_channels.values())
    if any(channel.requests or channel.total_outbufs_len for channel in channels):
        return True
    # Or something has come in that nobody has had the time to read.
    return bool(select.select([channel.socket for channel in channels], [], [], 0)[0])
