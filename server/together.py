"""Answer requests for one object each together: one run of the graph, one commit for all.

The loop that reads the sockets does it, on its own thread: what came in while it was at work makes
the next group, and the answers leave once the writer has committed. A request for anything else,
and one that is not right, goes through Flask on a thread of its own, which says what is wrong.
"""

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple, Protocol

import msgspec

from server.answers import to_contents
from server.errors import PROBLEM_TYPE, detail_of, problem
from server.seeing.record import Record, headers_of
from server.served import Answered
from server.storage.tasks import LogUnavailable, Task
from server.web import Parts

_logger = logging.getLogger(__name__)

# A larger body takes the loop too long: it has one object of some hundred features.
MAX_BODY_BYTES = 16 * 1024
# Rows of one group; what came in beyond that makes the next.
_MAX_ROWS = 256
# A commit takes as long as it takes to read and answer so many requests.
_WORTH_A_COMMIT = 8
# One that has taken longer is a checkpoint, or waits for the disk.
_SOON_S = 0.02
# Longest wait for an idle writer to begin. It needs the interpreter's lock for that, which it gets
# no sooner than the loop has nothing to do, or waits.
_HEAD_START_S = 0.001


class Answer(NamedTuple):
    """What is sent to one request: status, headers and body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Asked(Protocol):
    """A request, and where its answer goes."""

    body: bytes
    request_id: str
    # Who asks: the name of a key, or an address.
    caller: str
    # Of the address, where a proxy has put one.
    prefix: str
    record: Record

    def answer(self, answer: Answer) -> None:
        """Send the answer."""

    def pass_on(self) -> None:
        """Give the request to Flask instead, unless it has left already."""

    def drop(self) -> None:
        """Close its connection, unless it has left already."""


@dataclass(frozen=True)
class _Group:
    """Requests whose rows are handed in, with the answers that leave once those are stored."""

    parts: Parts
    asked: Sequence[Asked]
    answered: Answered
    # Body and location of each.
    answers: Sequence[tuple[bytes, str]]
    task: Task
    handed_in_at: float


class Together:
    """Answers requests in groups; its methods are called by one thread only.

    Parameters
    ----------
    parts : callable
        Returns the Parts of the moment; a group keeps those it began with.
    commit_timeout_s : float
        Longest wait for a commit; then the answer is 503.
    wake : callable
        Has `send` called soon; it is called from any thread.
    """

    def __init__(
        self, parts: Callable[[], Parts], commit_timeout_s: float, wake: Callable[[], None]
    ) -> None:
        self._now = parts
        self._commit_timeout_s = commit_timeout_s
        self._wake = wake
        self._came: deque[Asked] = deque()
        self._handed_in: deque[_Group] = deque()

    def add(self, asked: Asked) -> None:
        """Take a request; `predict` and `send` answer it."""
        self._came.append(asked)

    def send(self) -> bool:
        """Send the answers whose rows are stored, and tell whether there were any."""
        before = len(self._handed_in)
        while self._handed_in and self._is_over(self._handed_in[0]):
            group = self._handed_in.popleft()
            try:
                self._send(group)
            except Exception:  # whatever it is, the loop goes on
                _logger.exception("unexpected")
                _drop(group.asked)
        return len(self._handed_in) < before

    def predict(self) -> None:
        """Make groups of what came in, and hand in their rows.

        While a commit is under way, a few wait for its end: alone they would cost one of their own.
        """
        if len(self._came) < _WORTH_A_COMMIT and self._is_soon_over():
            return
        while self._came:
            asked = [self._came.popleft() for _ in range(min(len(self._came), _MAX_ROWS))]
            try:
                self._predict(asked)
            except Exception:  # the loop goes on, and Flask says what it is
                for each in asked:
                    each.pass_on()

    def _is_soon_over(self) -> bool:
        """Tell whether a commit is under way that has not taken long so far."""
        if not self._handed_in:
            return False
        return time.monotonic() < self._handed_in[0].handed_in_at + _SOON_S

    def _is_over(self, group: _Group) -> bool:
        late_at = group.handed_in_at + self._commit_timeout_s
        return group.task.done.is_set() or time.monotonic() > late_at

    def _predict(self, asked: Sequence[Asked]) -> None:
        _begin(asked, "parse")
        parts = self._now()
        reader = parts.lineup.champion.reader
        places, instances = reader.parse_singles([each.body for each in asked])
        taken = [asked[place] for place in places]
        for place in {*range(len(asked))}.difference(places):
            asked[place].pass_on()
        if instances is None:
            return
        _begin(taken, "model")
        stored = parts.log.number(len(taken))
        answered = parts.lineup.answer(instances, stored)
        if answered.not_finite:
            for each in taken:
                each.pass_on()
            return
        _begin(taken, "store")
        try:
            self._hand_in(parts, taken, answered)
        except LogUnavailable as error:
            self._refuse(taken, error)

    def _hand_in(self, parts: Parts, asked: Sequence[Asked], answered: Answered) -> None:
        rows, shadows = answered.rows([each.request_id for each in asked])
        task = parts.log.hand_in(self._wake, *rows, shadows=shadows)
        handed_in_at = time.monotonic()
        try:
            if not self._handed_in:
                task.begun.wait(_HEAD_START_S)
            # Put into words while the writer commits.
            answers = _write(asked, answered)
        except Exception:  # Flask would store them once more
            _logger.exception("unexpected")
            _drop(asked)
            return
        self._handed_in.append(_Group(parts, asked, answered, answers, task, handed_in_at))

    def _send(self, group: _Group) -> None:
        try:
            if not group.task.done.is_set():
                raise group.parts.log.too_late(group.task)
            group.task.check()
        except LogUnavailable as error:
            self._refuse(group.asked, error)
            return
        for each, (body, location) in zip(group.asked, group.answers, strict=True):
            headers = [("Content-Type", "application/json"), ("Location", location)]
            _answer(each, HTTPStatus.OK, headers, body)
        self._note(group.asked, HTTPStatus.OK)
        group.parts.seeing.predictions.answered(group.answered)

    def _refuse(self, asked: Sequence[Asked], error: LogUnavailable) -> None:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        body = json.dumps(problem(status, detail_of(error))).encode()
        for each in asked:
            headers = [("Content-Type", PROBLEM_TYPE), ("Retry-After", "1")]
            _answer(each, status, headers, body)
        self._note(asked, status)

    def _note(self, asked: Sequence[Asked], status: HTTPStatus) -> None:
        """Count and log what was answered, once all of them have it: nobody waits for that."""
        seeing = self._now().seeing
        for each in asked:
            seeing.finish(each.record, "/predict", status, each.request_id)


def _write(asked: Sequence[Asked], answered: Answered) -> list[tuple[bytes, str]]:
    """Return body and location of each."""
    answers = [(b"", "")] * len(asked)
    for said in answered.said:
        shared, contents = to_contents(said, reasons=True)
        for place, content in zip(said.places, contents, strict=True):
            location = f"{asked[place].prefix}/predictions/{content['prediction_id']}"
            answers[place] = (msgspec.json.encode({**shared, **content}), location)
    return answers


def _drop(asked: Sequence[Asked]) -> None:
    for each in asked:
        each.drop()


def _answer(asked: Asked, status: HTTPStatus, headers: list[tuple[str, str]], body: bytes) -> None:
    record = asked.record
    record.begin("answer")
    record.rows, record.n_bytes = 1, len(body)
    headers.append(("X-Request-ID", asked.request_id))
    headers += headers_of(record)
    asked.answer(Answer(f"{status.value} {status.phrase}", headers, body))


def _begin(asked: Sequence[Asked], part: str) -> None:
    for each in asked:
        each.record.begin(part)
