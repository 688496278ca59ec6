"""Which connections are dropped: those that move too little, are idle for too long, or hold much.

Every connection is looked at twice a second. One that is receiving a request, or has an answer
waiting for it, has to move a least number of bytes in each stretch of time: so a byte now and then
holds nothing, and a large body or answer may take as long as it needs while it moves.
"""

import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from waitress.utilities import Error

from server.config import Settings
from server.limits.clock import Clock

_EVERY_S = 0.5
# A connection that came, or said something, in the last moment is not idle.
_NEW_S = 0.1
# Who sent no request has this long to read the answer.
_LINGER_S = 1.0


class RequestTimeout(Error):  # type: ignore[misc]  # Waitress publishes no types
    """The answer to a request that does not come in."""

    code = 408
    reason = "Request Timeout"


@dataclass
class Stretch:
    """What one connection is doing, since when, and how many bytes it had moved then."""

    what: object
    since: float
    moved: int


class Patience:
    """Looks at the connections of a server.

    Parameters
    ----------
    server : waitress.server.BaseWSGIServer
    settings : Settings
    clock : Clock
    """

    def __init__(self, server: Any, settings: Settings, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._looked_at = clock.now
        self._slow_s = settings.slow_client_s
        self._least_bytes = settings.slow_client_s * settings.least_bytes_per_s
        self._idle_s = settings.idle_timeout_s
        self._most_held = settings.max_held_bytes

    def turn(self) -> None:
        """Look at all connections if it is time to."""
        now = self._clock.now
        if now - self._looked_at < _EVERY_S:
            return
        self._looked_at = now
        channels = list(self._server.active_channels.values())
        for channel in channels:
            self._look_at(channel, now)
        self._bound_held(channels)
        self._server.seeing.limits.tell()

    def make_room(self) -> bool:
        """Close the connection that has been idle for longest, or else one that is being slow.

        Returns false where all connections have a request at work or an answer under way, or have
        only just come.
        """
        channels = self._server.active_channels.values()
        since = time.time() - _NEW_S
        waiting = [
            each
            for each in channels
            if each.last_activity < since and not (each.requests or each.total_outbufs_len)
        ]
        waiting.sort(key=lambda each: (each.request is not None, each.last_activity))
        for oldest in waiting:
            if not _has_unread(oldest):
                self._drop(oldest, "slow request" if oldest.request is not None else "room")
                return True
        return False

    def _look_at(self, channel: Any, now: float) -> None:
        what, moved = _doing(channel)
        stretch: Stretch | None = channel.stretch
        if stretch is None or stretch.what != what:
            channel.stretch = Stretch(what, now, moved)
        elif what[0] == "idle":
            if now - stretch.since > self._idle_s:
                self._drop(channel, "idle")
        elif what[0] == "lingering":
            if now - stretch.since > _LINGER_S:
                channel.handle_close()
        elif what[0] != "working" and now - stretch.since > self._slow_s:
            if moved - stretch.moved < self._least_bytes:
                self._end_slow(channel, what[0])
            else:
                channel.stretch = Stretch(what, now, moved)

    def _end_slow(self, channel: Any, doing: str) -> None:
        if doing == "sending":
            self._drop(channel, "slow reader")
            return
        self._server.seeing.limits.dropped("slow request")
        with channel.requests_lock:
            request, channel.request = channel.request, None
            request.error = RequestTimeout(
                f"fewer than {self._least_bytes:.0f} bytes came in {self._slow_s:g} s"
            )
            request.received_at = time.perf_counter()
            channel.requests.append(request)
        self._server.add_task(channel)

    def _bound_held(self, channels: Iterable[Any]) -> None:
        """Drop those that hold most, until all together hold no more than is allowed."""
        holding = {channel: _held(channel) for channel in channels if channel.connected}
        excess = sum(holding.values()) - self._most_held
        while excess > 0:
            largest = max(holding, key=lambda each: holding[each])
            excess -= holding.pop(largest)
            self._drop(largest, "memory")

    def _drop(self, channel: Any, reason: str) -> None:
        self._server.seeing.limits.dropped(reason)
        channel.handle_close()


def _doing(channel: Any) -> tuple[tuple[str, object], int]:
    """Return what a connection is doing, as a value that changes with it, and its bytes so far."""
    if channel.is_lingering:
        return ("lingering", None), 0
    if channel.total_outbufs_len:
        return ("sending", None), channel.n_sent
    if channel.requests:
        return ("working", None), 0
    request = channel.request
    # Empty lines before a request are none of it.
    if request is not None and (request.headers_finished or request.header_plus.strip()):
        return ("receiving", request), request.header_bytes_received + request.body_bytes_received
    return ("idle", channel.n_served), 0


def _has_unread(channel: Any) -> bool:
    """Tell whether something has come in that nobody has had the time to read."""
    try:
        return bool(channel.socket.recv(1, socket.MSG_PEEK))
    except OSError:  # nothing, or nobody, is there
        return False


def _held(channel: Any) -> int:
    request = channel.request
    received = 0 if request is None else request.body_bytes_received
    return int(channel.total_outbufs_len) + received
