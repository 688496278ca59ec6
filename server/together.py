"""Answer requests for one object each together: one run of the graph, one commit for all.

The loop that reads the sockets does it, on its own thread: what came in while it was at work makes
the next group, and the answers leave once the writer has committed. A request for anything else,
and one that is not right, goes through Flask on a thread of its own, which says what is wrong.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import msgspec

from server.answers import to_contents
from server.errors import PROBLEM_TYPE, detail_of, problem
from server.payload import Instances
from server.prediction_log import Stored
from server.routes import Parts
from server.storage.writer import LogUnavailable, Task

# A larger body takes the loop too long: it has one object of some hundred features.
MAX_BODY_BYTES = 16 * 1024
# Rows of one group; what came in beyond that makes the next.
_MAX_ROWS = 256


@dataclass(frozen=True)
class Answer:
    """What is sent to one request: status, headers and body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Asked(Protocol):
    """A request, and where its answer goes."""

    body: bytes
    request_id: str

    def answer(self, answer: Answer) -> None:
        """Send the answer."""

    def pass_on(self) -> None:
        """Give the request to Flask instead."""


@dataclass(frozen=True)
class _Group:
    """Requests whose rows are handed in, with the answers that leave once those are stored."""

    asked: Sequence[Asked]
    answers: Sequence[Answer]
    task: Task
    late_at: float


class Together:
    """Answers requests in groups; `add` and `turn` are called by one thread only.

    Parameters
    ----------
    parts : Parts
    commit_timeout_s : float
        Longest wait for a commit; then the answer is 503.
    wake : callable
        Has `turn` called soon; it is called from any thread.
    """

    def __init__(self, parts: Parts, commit_timeout_s: float, wake: Callable[[], None]) -> None:
        self._parts = parts
        self._commit_timeout_s = commit_timeout_s
        self._wake = wake
        self._came: deque[Asked] = deque()
        self._handed_in: deque[_Group] = deque()

    def add(self, asked: Asked) -> None:
        """Take a request; `turn` answers it."""
        self._came.append(asked)

    def turn(self) -> None:
        """Send the answers whose rows are stored, and make the next group of what came in."""
        while self._handed_in and self._is_over(self._handed_in[0]):
            self._send(self._handed_in.popleft())
        while self._came:
            asked = [self._came.popleft() for _ in range(min(len(self._came), _MAX_ROWS))]
            try:
                self._predict(asked)
            except Exception:  # the loop goes on, and Flask says what it is
                for each in asked:
                    each.pass_on()

    def _is_over(self, group: _Group) -> bool:
        return group.task.done.is_set() or time.monotonic() > group.late_at

    def _predict(self, asked: Sequence[Asked]) -> None:
        reader, model, log = self._parts.reader, self._parts.model, self._parts.log
        places, instances = reader.parse_singles([each.body for each in asked])
        prediction = model.predict(instances.arrays) if instances else None
        if instances is None or prediction is None or prediction.not_finite:
            for each in asked:
                each.pass_on()
            return
        taken = [asked[place] for place in places]
        if len(taken) < len(asked):
            for place in {*range(len(asked))}.difference(places):
                asked[place].pass_on()
        try:
            stored = log.number(len(taken))
            task = log.hand_in(
                self._wake,
                numbered=stored,
                request_id=[each.request_id for each in taken],
                instance=0,
                ids=instances.ids,
                values=instances.values,
                outputs=prediction.outputs,
                warnings=instances.warnings,
                # Its share of the run.
                inference_ms=prediction.inference_ms / len(taken),
            )
        except LogUnavailable as error:
            for each in taken:
                each.answer(_unavailable(error, each.request_id))
            return
        # Put into words while the writer commits.
        answers = self._to_answers(taken, instances, prediction.outputs, stored)
        late_at = time.monotonic() + self._commit_timeout_s
        self._handed_in.append(_Group(taken, answers, task, late_at))

    def _to_answers(
        self,
        taken: Sequence[Asked],
        instances: Instances,
        outputs: Mapping[str, Any],
        stored: Stored,
    ) -> list[Answer]:
        contract = self._parts.model.contract
        shared, bodies = to_contents(contract, instances, outputs, stored, reasons=True)
        return [
            Answer(
                "200 OK",
                [
                    ("Content-Type", "application/json"),
                    ("Location", f"/predictions/{body['prediction_id']}"),
                    ("X-Request-ID", each.request_id),
                ],
                msgspec.json.encode({**shared, **body}),
            )
            for each, body in zip(taken, bodies, strict=True)
        ]

    def _send(self, group: _Group) -> None:
        try:
            if not group.task.done.is_set():
                raise self._parts.log.too_late()
            group.task.check()
        except LogUnavailable as error:
            for each in group.asked:
                each.answer(_unavailable(error, each.request_id))
            return
        for each, answer in zip(group.asked, group.answers, strict=True):
            each.answer(answer)


def _unavailable(error: LogUnavailable, request_id: str) -> Answer:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return Answer(
        f"{status.value} {status.phrase}",
        [
            ("Content-Type", PROBLEM_TYPE),
            ("Retry-After", "1"),
            ("X-Request-ID", request_id),
        ],
        json.dumps(problem(status, detail_of(error))).encode(),
    )
