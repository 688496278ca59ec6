"""Share the threads among those who wait for one, so that no caller has all."""

from collections import Counter, deque
from typing import Any

from server.channel import Channel
from server.config import Settings
from server.limits.clock import Clock
from server.limits.load import Load
from server.limits.refusals import CALLER, THREADS


class Threads:
    """Hands requests to Waitress' threads; for the thread of the loop alone.

    Parameters
    ----------
    server : waitress.server.BaseWSGIServer
    load : Load
        Is told how many are at work, and how many wait.
    settings : Settings
    """

    def __init__(self, server: Any, load: Load, settings: Settings) -> None:
        self._server = server
        self._load = load
        self._clock: Clock = server.clock
        self._most = settings.threads
        self._most_of_one = min(settings.threads_per_caller, settings.threads)
        self._most_wait_s = settings.max_wait_ms / 1e3
        self._waiting: deque[tuple[Channel, float]] = deque()
        # Whether somebody came since threads were shared: the loop must not sleep on that.
        self.has_new = False
        # With the request that each was given for.
        self._at_work: dict[Channel, Any] = {}

    def add(self, channel: Channel) -> None:
        """Take a request; `share` gives it to a thread."""
        self._waiting.append((channel, self._clock.now))
        self.has_new = True

    def share(self) -> list[tuple[Channel, str]]:
        """Give threads to those who wait, and return who has waited for too long, and why."""
        self.has_new = False
        self._take_back()
        refused = self._give() if self._waiting else []
        self._load.waiting, self._load.at_work = len(self._waiting), len(self._at_work)
        return refused

    def _take_back(self) -> None:
        for channel, request in list(self._at_work.items()):
            is_done = not channel.requests or channel.requests[0] is not request
            # Even before: of an answer that is long, much may wait to be sent.
            self._server.sockets.attend(channel)
            if is_done:
                del self._at_work[channel]

    def _give(self) -> list[tuple[Channel, str]]:
        callers = Counter(channel.caller for channel in self._at_work)
        refused = []
        kept: deque[tuple[Channel, float]] = deque()
        for channel, since in self._waiting:
            is_one_of_many = callers[channel.caller] >= self._most_of_one
            if not channel.connected:
                channel.serve()
            elif len(self._at_work) < self._most and not is_one_of_many:
                callers[channel.caller] += 1
                self._start(channel)
            elif self._clock.now - since > self._most_wait_s:
                refused.append((channel, CALLER if is_one_of_many else THREADS))
            else:
                kept.append((channel, since))
        self._waiting = kept
        return refused

    def _start(self, channel: Channel) -> None:
        self._at_work[channel] = channel.requests[0]
        # Before it runs: it may be the one that asks for the metrics.
        self._load.at_work = len(self._at_work)
        self._server.task_dispatcher.add_task(channel)
