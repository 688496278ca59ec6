"""Let requests in: to the loop, to a thread, or not at all.

Every request comes here once it is whole, before its body is looked at. One for one object goes to
the loop, which answers many together, as long as it would not wait for too long; every other waits
for a thread, of which no caller has all. What is refused costs no thread, no parse and no run.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from server.access.gate import Admitted, Gate
from server.asked import Asked, is_for_one
from server.channel import Channel
from server.config import Settings
from server.limits import refusals
from server.limits.buckets import caller_of
from server.limits.clock import Clock
from server.limits.health import PATHS, health
from server.limits.pace import Pace
from server.limits.refusals import BUSY, CALLER, REQUESTS, ROWS, Refusals, rate_headers
from server.limits.threads import Threads
from server.seeing.record import RECEIVED_AT, Record
from server.seeing.seeing import REFUSED
from server.web import Parts, name_of_request

_logger = logging.getLogger(__name__)

# Who was refused is not heard again on that connection for so long: a client that asks again at
# once, though told to wait a second, costs those who are let in no more than this allows.
_PAUSE_S = 0.05


class Admission:
    """Lets in what a server receives; but for `add`, for the thread of its loop alone.

    Parameters
    ----------
    server : waitress.server.BaseWSGIServer
    parts : callable
        Returns the Parts of the moment.
    gate : Gate
        Knows who asks.
    settings : Settings
    """

    def __init__(
        self, server: Any, parts: Callable[[], Parts], gate: Gate, settings: Settings
    ) -> None:
        self._server = server
        self._now = parts
        self._load = parts().load
        self._gate = gate
        self._clock: Clock = server.clock
        self._most_wait_s = settings.max_wait_ms / 1e3
        self._threads = Threads(server, self._load, settings)
        self._refusals = Refusals()
        self._came: deque[Channel] = deque()
        # Those whose last answer is not taken yet.
        self._untaken: list[Channel] = []
        self._paused: deque[tuple[float, Channel]] = deque()
        self._buckets = {"requests": self._load.requests, "rows": self._load.rows}
        self._has_rates = any(each.rate for each in self._buckets.values())
        self._ticked = self._clock.now
        self.pace = Pace()
        # Requests for one object that each caller has on the loop.
        self.singles: Counter[str] = Counter()

    def add(self, channel: Channel) -> None:
        """Take the first request of a connection; from any thread, and with its lock held."""
        self._came.append(channel)

    @property
    def wait_s(self) -> float:
        """How long the loop may sleep."""
        if self._came or self._threads.has_new:
            return 0.0
        return 0.02 if self._paused or self._untaken or self._load.waiting else 0.25

    def turn(self) -> None:
        """Let in what came, refuse what has waited for too long."""
        now = self._clock.now
        self.pace.turn(now - self._ticked)
        self._ticked = now
        self._came.extend(self._untaken)
        self._untaken.clear()
        while self._paused and self._paused[0][0] <= now:
            channel = self._paused.popleft()[1]
            channel.is_paused = False
            self._server.sockets.attend(channel)
        while self._came:
            channel = self._came.popleft()
            if channel.total_outbufs_len and channel.connected:
                # Who asks much at once and takes no answers has one at a time in memory.
                self._untaken.append(channel)
                continue
            try:
                self._let_in(channel)
            except Exception:  # whatever it is, the loop goes on
                _logger.exception("unexpected")
                channel.handle_close()
        for channel, reason in self._threads.share():
            self._refuse(channel, reason)

    def _let_in(self, channel: Channel) -> None:
        request = channel.requests[0]
        if request.error is not None or not channel.connected:
            channel.serve()
            return
        if request.path in PATHS and request.command == "GET" and "ORIGIN" not in request.headers:
            channel.answer(health(request, self._now()))
            return
        address, headers = channel.addr[0], request.headers
        admitted = self._gate.admit(address, headers) if is_for_one(request) else None
        name = admitted.caller.name if admitted else self._gate.counted_to(address, headers)
        channel.caller = caller = caller_of(name)
        if not self._load.requests.has_any(caller):
            self._refuse(channel, REQUESTS)
        elif request.command == "POST" and not self._load.rows.has_any(caller):
            self._refuse(channel, ROWS)
        else:
            self._load.requests.take(caller, 1)
            if admitted:
                self._let_in_single(channel, admitted)
            else:
                self._threads.add(channel)

    def _let_in_single(self, channel: Channel, admitted: Admitted) -> None:
        caller = channel.caller
        # Whoever has none on the loop is let in: others may be too many, he is not.
        if self.pace.is_full(self._most_wait_s) and self.singles[caller]:
            self._refuse(channel, BUSY)
            return
        self._load.rows.take(caller, 1)
        self.pace.came()
        self.singles[caller] += 1
        self._server.together.add(Asked(channel, admitted))

    def single_passed_on(self, channel: Channel, caller: str) -> None:
        """Give to Flask what was taken for a request for one object; it will count its rows."""
        self.single_left(caller)
        self._load.rows.take(caller, -1)
        self._threads.add(channel)

    def single_left(self, caller: str) -> None:
        """Note that a request for one object has left the loop."""
        self.pace.left()
        self.singles[caller] -= 1
        if not self.singles[caller]:
            del self.singles[caller]

    def rate_headers(self, caller: str) -> list[tuple[str, str]]:
        """Return the headers that tell a caller what he has left; called from any thread."""
        return rate_headers(self._buckets, caller) if self._has_rates else []

    def _refuse(self, channel: Channel, reason: str) -> None:
        request = channel.requests[0]
        status = refusals.status_of(reason)
        retry_after_s = 1
        if reason in (REQUESTS, ROWS):
            buckets = self._load.requests if reason == REQUESTS else self._load.rows
            retry_after_s = buckets.left(channel.caller).reset_s
        elif reason != CALLER:
            self._load.refused()
        request_id = name_of_request(request.headers.get("X_REQUEST_ID", ""))
        answer = self._refusals.make(reason, request.path, request_id, retry_after_s)
        answer.headers.extend(self._gate.sites.headers_for(request.headers.get("ORIGIN")))
        record = Record({"REQUEST_METHOD": request.command, RECEIVED_AT: request.received_at})
        seeing = self._now().seeing
        seeing.limits.refused(reason)
        seeing.count(record, REFUSED, status)
        if not self._server.is_stopping.is_set():
            channel.is_paused = True
            self._paused.append((self._clock.now + _PAUSE_S, channel))
        channel.answer(answer)
