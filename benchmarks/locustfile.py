"""Users of a Sextant server, whatever its model: ``locust -f benchmarks/locustfile.py --host URL``.

With ``SEXTANT_BENCH_ACKNOWLEDGED`` set to a path, the id of every prediction that was answered
with 200 goes there, one a line, so that the log can be held to it afterwards.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from typing import Any, TextIO
from uuid import UUID

from locust import FastHttpUser, constant, events, task
from locust.env import Environment

# Locust runs this file by its path, so the folder above is not where Python looks.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.answers import WrongAnswer, check_model, check_page, check_predictions
from benchmarks.instances import InstanceMaker

SINGLE, BATCH, LOG = "one object", "a list", "the log"
# Rows of a batch: from a handful to what a nightly job sends in one piece.
_BATCH_ROWS = (2, 10, 100)
_MISSING_SHARE = 0.2
_PAGE_ROWS = 50
_PAGES = 3
# A server that does not answer is not asked again at once.
_PAUSE_S = 0.1

# A wrong or refused answer is never all right.
MAX_FAILURE_RATIO = 0.0
# Milliseconds, by kind of request: p95 and p99. About five times what two shared cores show with
# 32 users, client and server on the same machine: they catch a server that stalls, not a busy day.
THRESHOLDS_MS = {SINGLE: (500, 1_500), BATCH: (1_000, 3_000), LOG: (1_000, 3_000)}

_acknowledged: TextIO | None = None


@events.test_start.add_listener  # type: ignore[untyped-decorator]  # Locust's own
def _open_acknowledged(**_: Any) -> None:
    global _acknowledged
    if path := os.environ.get("SEXTANT_BENCH_ACKNOWLEDGED"):
        _acknowledged = Path(path).open("a", encoding="ascii")  # noqa: SIM115  # open for the run


@events.quitting.add_listener  # type: ignore[untyped-decorator]  # Locust's own
def _judge(environment: Environment, **_: Any) -> None:
    if _acknowledged:
        _acknowledged.close()
    stats = environment.stats
    faults = []
    if not stats.total.num_requests:
        faults.append("nothing was answered")
    if stats.total.fail_ratio > MAX_FAILURE_RATIO:
        faults.append(f"{stats.total.num_failures} of {stats.total.num_requests} failed")
    for entry in stats.entries.values():
        for percent, limit in zip((0.95, 0.99), THRESHOLDS_MS[entry.name], strict=True):
            reached = entry.get_response_time_percentile(percent)
            if reached > limit:
                faults.append(f"{entry.name}: p{percent * 100:.0f} {reached} ms, over {limit} ms")
    for fault in faults:
        print(f"threshold: {fault}", file=sys.stderr)
    environment.process_exit_code = 1 if faults else 0


class Caller(FastHttpUser):
    """Sends what the contract asks for, checks what comes back, reads the log now and then."""

    # The next request follows the answer at once: the number of users is the concurrency.
    wait_time = constant(0)
    default_headers = {"Accept": "application/json"}  # noqa: RUF012  # Locust's own attribute

    def on_start(self) -> None:
        """Learn from the server what its model takes."""
        # Not the benchmark's business, so not in its figures.
        response = self.client.client.urlopen(f"{self.host}/model", headers=self.default_headers)
        self._contract: dict[str, Any] = response.json()
        self._random = Random()  # noqa: S311  # test rows, not secrets
        self._maker = InstanceMaker(self._contract, self._random)

    @task(20)
    def predict_one(self) -> None:
        """Send one object."""
        instance = self._maker.make(missing_share=_MISSING_SHARE)

        def check(answer: dict[str, Any]) -> None:
            check_model(self._contract, answer)
            check_predictions(self._contract, [instance], [answer])
            _record([answer])

        self._ask(self.client.post("/predict", json=instance, **_as(SINGLE)), check)

    @task(2)
    def predict_list(self) -> None:
        """Send a list of objects."""
        rows = self._random.choice(_BATCH_ROWS)
        instances = [self._maker.make(missing_share=_MISSING_SHARE) for _ in range(rows)]

        def check(answer: dict[str, Any]) -> None:
            check_model(self._contract, answer)
            check_predictions(self._contract, instances, answer["predictions"])
            _record(answer["predictions"])

        self._ask(self.client.post("/predict", json=instances, **_as(BATCH)), check)

    @task(1)
    def page_through_the_log(self) -> None:
        """Follow `next` through a few pages."""
        older_than: UUID | None = None
        following: str | None = f"/predictions?format=json&limit={_PAGE_ROWS}"

        def check(page: dict[str, Any]) -> None:
            nonlocal older_than, following
            older_than = check_page(self._contract, page["predictions"], older_than)
            following = page["next"]

        for _ in range(_PAGES):
            path, following = following, None
            if path is None:
                return
            self._ask(self.client.get(path, **_as(LOG)), check)

    def _ask(
        self, request: AbstractContextManager[Any], check: Callable[[dict[str, Any]], None]
    ) -> None:
        with request as response:
            if response.status_code != 200:
                response.failure(f"{response.status_code}: {response.text}"[:200])
            else:
                try:
                    check(response.json())
                except (WrongAnswer, KeyError, TypeError, ValueError) as error:
                    response.failure(f"{type(error).__name__}: {error}")
        if not response.status_code:
            time.sleep(_PAUSE_S)  # Locust has made this let others run


def _as(name: str) -> dict[str, Any]:
    return {"name": name, "catch_response": True}


def _record(predictions: list[dict[str, Any]]) -> None:
    if _acknowledged:
        for prediction in predictions:
            print(prediction["prediction_id"], file=_acknowledged)
