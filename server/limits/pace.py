"""How long a request for one object will wait: how many do, and how fast they were answered."""

# As many are let in however slow the last ones were, so that the pace is measured anew.
LEAST = 64
# Until enough were answered to know better: about what a request takes on one core.
_FIRST_S = 4e-4
# The pace is that of the last second.
_MEMORY_S = 1.0


class Pace:
    """Counts requests in and out.

    Attributes
    ----------
    waiting : int
        Requests that are let in and not answered.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._answered = 0
        self._was_busy = False
        # Seconds and answers, the older the less they count.
        self._seconds, self._answers = _FIRST_S, 1.0

    def came(self) -> None:
        """Note that a request was let in."""
        self.waiting += 1

    def left(self) -> None:
        """Note that a request was answered, or has gone to a thread."""
        self.waiting -= 1
        self._answered += 1

    def turn(self, elapsed_s: float) -> None:
        """Measure, once a turn of the loop that took `elapsed_s`.

        Only while there was enough to do: a single client shows how long one request takes, which
        is not how many can be answered.
        """
        if self._was_busy:
            keep = max(0.0, 1 - elapsed_s / _MEMORY_S)
            self._seconds = keep * self._seconds + elapsed_s
            self._answers = keep * self._answers + self._answered
        self._answered = 0
        self._was_busy = self.waiting >= LEAST // 2

    @property
    def seconds_each(self) -> float:
        """How long one answer took lately, with all that is done at once."""
        return self._seconds / max(1.0, self._answers)

    def is_full(self, most_wait_s: float) -> bool:
        """Tell whether one more would wait for longer than `most_wait_s`."""
        return self.waiting >= LEAST and self.waiting * self.seconds_each > most_wait_s
