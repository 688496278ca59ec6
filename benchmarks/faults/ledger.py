"""What was asked of a server and what it answered, to hold its log to afterwards."""

import copy
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Self

# Of faults that repeat, the first few say what there is to say.
_MOST_COMPLAINTS = 200


class Ledger:
    """Every request under a name of its own, whether it was answered, and what with.

    A row's `id` in the log is the name of its request and its place there, `<name>/<place>`, so a
    stored row can be held against what was asked, however often it was sent.

    Attributes
    ----------
    journal_size : callable
        Returns how much of the journal is written; see shim.py.
    sent : dict
        By name, the instances that were asked for, each by its number in the pool.
    told : dict
        By name, the predictions of the first answer: their ids and main outputs.
    at : dict
        By name, how much of it was written when that answer came.
    refused : Counter
        Refusals by status.
    requests : int
        How many were answered or refused.
    wrong : int
        Answers, and stored rows, that are not what they must be.
    keyed : set of str
        The names of those that were sent with an Idempotency-Key.
    complaints : list of str
        What breaks the rule and is no row: a refusal without a cause, readiness that lies.
    """

    def __init__(self, journal_size: Callable[[], int] = lambda: 0) -> None:
        self.journal_size = journal_size
        self.sent: dict[str, Sequence[int]] = {}
        self.told: dict[str, list[dict[str, Any]]] = {}
        self.at: dict[str, int] = {}
        self.refused: Counter[int] = Counter()
        self.complaints: list[str] = []
        self.requests = 0
        self.wrong = 0
        self.keyed: set[str] = set()
        self._lock = threading.Lock()

    def send(self, name: str, numbers: Sequence[int], *, is_keyed: bool) -> None:
        """Note that a request is about to be sent, for the first time or again."""
        with self._lock:
            self.sent[name] = numbers
            if is_keyed:
                self.keyed.add(name)

    def tell(self, name: str, predictions: list[dict[str, Any]]) -> None:
        """Note an answer; a second one to the same request must be the first."""
        at = self.journal_size()
        with self._lock:
            self.requests += 1
            first = self.told.setdefault(name, predictions)
            self.at.setdefault(name, at)
        if first is not predictions and first != predictions:
            self.find_wrong(f"{name}: answered otherwise than the first time")

    def refuse(self, status: int) -> None:
        """Note a refusal."""
        with self._lock:
            self.requests += 1
            self.refused[status] += 1

    def find_wrong(self, what: str) -> None:
        """Count a wrong answer, or a stored row that is wrong."""
        with self._lock:
            self.wrong += 1
        self.complain(what)

    def complain(self, what: str) -> None:
        """Note what breaks the rule."""
        with self._lock:
            if len(self.complaints) < _MOST_COMPLAINTS:
                self.complaints.append(what)

    def until(self, at: int) -> Self:
        """Return the same with the answers alone that came before the journal was this long."""
        earlier = copy.copy(self)
        earlier.told = {name: told for name, told in self.told.items() if self.at[name] <= at}
        return earlier

    @property
    def acknowledged(self) -> int:
        """Rows that were answered with 200."""
        return sum(map(len, self.told.values()))
