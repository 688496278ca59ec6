"""How much each caller may ask for: a bucket that fills at a rate and is emptied by requests."""

import ipaddress
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

# Callers that are remembered; beyond that, those whose bucket is full again are forgotten.
_MOST_CALLERS = 10_000


def caller_of(name: str) -> str:
    """Return whom requests are counted to: a key or an address; of IPv6, the whole network."""
    if ":" not in name:
        return name
    address = ipaddress.IPv6Address(name.partition("%")[0])
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return ":".join(address.exploded.split(":")[:4])


@dataclass(frozen=True)
class Left:
    """What one caller has left: whole units, and the seconds until there is more than none."""

    units: int
    reset_s: int


class Buckets:
    """One bucket a caller; a rate of 0 lets everything through.

    Who asks is let in while there is anything in his bucket, and what it costs is taken out, even
    if it is more: a large request is not refused for ever, and the next one waits for longer.

    Parameters
    ----------
    rate : float
        Units a second.
    burst_s : float
        Seconds of that rate which a bucket holds.
    clock : callable, optional
        Seconds, from any beginning.
    """

    def __init__(
        self, rate: float, burst_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate = rate
        self.window_s = burst_s
        # Less than one could never be asked for.
        self.size = max(1.0, rate * burst_s)
        self._clock = clock
        self._lock = threading.Lock()
        # What was there when it was last looked into.
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, caller: str, units: float) -> None:
        """Take `units` out; called from any thread."""
        if not self.rate:
            return
        with self._lock:
            now = self._clock()
            if len(self._levels) >= _MOST_CALLERS and caller not in self._levels:
                self._forget(now)
            self._levels[caller] = (self._level(caller, now) - units, now)

    def has_any(self, caller: str) -> bool:
        """Tell whether a request may be let in."""
        return not self.rate or self._level(caller, self._clock()) >= 1

    def left(self, caller: str) -> Left:
        """Return what there is."""
        level = self._level(caller, self._clock())
        return Left(max(0, int(level)), max(1, math.ceil((1 - level) / self.rate)))

    def _level(self, caller: str, now: float) -> float:
        level, seen = self._levels.get(caller, (self.size, now))
        return min(self.size, level + (now - seen) * self.rate)

    def _forget(self, now: float) -> None:
        full = [caller for caller in self._levels if self._level(caller, now) >= self.size]
        for caller in full or [next(iter(self._levels))]:
            del self._levels[caller]
