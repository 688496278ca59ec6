"""Waitress as we run it: single predictions together, our own problems, an orderly stop."""

import socket
import threading
import time
from threading import Event
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from server.access.gate import Gate
from server.channel import Channel
from server.config import Settings
from server.limits.admission import Admission
from server.limits.clock import Clock
from server.limits.descriptors import connections_possible
from server.limits.door import Door
from server.limits.load import Load
from server.limits.patience import Patience
from server.limits.sockets import Sockets
from server.together import Together
from server.web import Parts

# A body a few times too large is still read to its end, so that its sender reads our answer
# instead of a broken connection.
_BODY_SLACK = 2
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

    def now() -> Parts:
        # Looked up again and again: who keeps them keeps a model that may be switched by then.
        parts: Parts = app.extensions["sextant"]
        return parts

    load = now().load
    server = _make_server(app, settings, listening)
    server.is_stopping, server.seeing = is_stopping, now().seeing
    server.pull_trigger = _Alarm(server.trigger)
    server.clock = Clock()
    server.patience = Patience(server, settings, server.clock)
    most_connections = connections_possible(settings.max_connections)
    load.most_connections = most_connections
    server.door = Door(server, server.patience, most_connections)
    server.handle_accept = server.door.accept
    gate: Gate = app.extensions["sextant-gate"]
    server.admission = Admission(server, now, gate, settings)
    server.add_task = server.admission.add
    server.together = Together(now, settings.commit_timeout_s, server.pull_trigger)
    while not is_stopping.is_set():
        _turn(server, load, timeout_s=0.25)
    last_call = time.monotonic() + _LAST_CALL_S
    deadline = time.monotonic() + settings.stop_timeout_s
    # Not by turns: each of them waits for every thread that is at work.
    server.door.accept_all()
    wasyncore.dispatcher.close(server)
    while time.monotonic() < min(last_call, deadline) or (
        _is_busy(server) and time.monotonic() < deadline
    ):
        _turn(server, load, timeout_s=0.05)
    server.task_dispatcher.shutdown(timeout=max(0.0, deadline - time.monotonic()))
    server.pull_trigger.close()
    server.sockets.close()


def _make_server(app: Flask, settings: Settings, listening: socket.socket) -> Any:
    sockets = Sockets()
    server = create_server(
        app,
        map=sockets,
        sockets=[listening],
        threads=settings.threads,
        max_request_header_size=settings.max_header_bytes,
        max_request_body_size=_BODY_SLACK * settings.max_body_bytes,
        # Bodies and answers stay in memory: the root file system may be read-only.
        inbuf_overflow=_BODY_SLACK * settings.max_body_bytes,
        outbuf_overflow=_BODY_SLACK * settings.max_body_bytes,
        # Our own proxies are told from others by the gate.
        clear_untrusted_proxy_headers=False,
        # A client that goes away is nothing to log.
        log_socket_errors=False,
        ident="sextant",
    )
    server.channel_class = Channel
    server.sockets, sockets.listening = sockets, server
    return server


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


def _turn(server: Any, load: Load, *, timeout_s: float) -> None:
    server.sockets.turn(min(timeout_s, server.admission.wait_s))
    server.clock.tick()
    server.admission.turn()
    if server.together.send():
        # Who was answered may have asked again: the more there are, the fewer commits they cost.
        server.sockets.turn(0.0)
        server.admission.turn()
    server.together.predict()
    server.patience.turn()
    server.door.turn()
    load.connections = len(server.active_channels)


def _is_busy(server: Any) -> bool:
    channels = list(server.active_channels.values())
    if any(channel.requests or channel.total_outbufs_len for channel in channels):
        return True
    return bool(server.sockets.have_come())
