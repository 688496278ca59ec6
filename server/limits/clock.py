"""The time that connections have had: it stands still while the server does."""

import time
from email.utils import formatdate

# A turn of the loop takes a fraction of a second; after a longer one the server was stopped, or had
# no core, and what clients sent meanwhile lies unread.
_MOST_S = 1.0


class Clock:
    """Seconds, of which no more than one passes from a turn to the next.

    Attributes
    ----------
    now : float
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._seen = time.monotonic()
        self._second, self._date = 0, ""

    @property
    def date(self) -> str:
        """The time of day, as the header Date has it."""
        second = int(time.time())
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True)
        return self._date

    def tick(self) -> None:
        """Read the time; called once a turn."""
        seen = time.monotonic()
        self.now += min(seen - self._seen, _MOST_S)
        self._seen = seen
