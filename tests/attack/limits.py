"""Take the server from others: hide a request in another, hold connections, ask for too much."""

import json
import time
from contextlib import ExitStack

from benchmarks import malformed
from benchmarks.closed_loop import keep_asking
from benchmarks.faults.crowd import idle, slow
from benchmarks.malformed_cases import CASES
from tests.attack.target import OBJECT

_MANY = 320


def smuggled_requests(target):
    """Send what two programs read in two ways, with a request behind it that is nobody's."""
    for case in (*CASES, *malformed.generated(seed=3, count=200)):
        told = malformed.complaint(case, malformed.ask(target.port, case.sent))
        assert told is None, told


def held_connections(target):
    """Hold 1,200 idle connections and 200 that send or read a byte now and then."""
    with ExitStack() as stack:
        stack.enter_context(idle(target, 1_200))
        stack.enter_context(slow(target, 200))
        for _ in range(5):
            assert target.ask("POST", "/predict", OBJECT, key="predict").status == 200


def without_measure(target):
    """Send bodies, lists and headers beyond all limits."""
    rows = json.dumps([OBJECT] * 10_001).encode()
    many = {f"X-{number}": "x" for number in range(101)}
    for content, headers, status in (
        (b" " * 17_000_000, {"Content_Type": "application/json"}, 413),
        (rows, {"Content_Type": "application/json"}, 422),
        (OBJECT, {"X_Long": "x" * 40_000}, 431),
        (OBJECT, many, 431),
    ):
        answer = target.ask("POST", "/predict", content, key="predict", **headers)
        assert answer.status == status, f"{answer.status}, not {status}"


def too_much_at_once(target):
    """Ask on 320 connections at once, heeding no refusal, and see whether it recovers."""
    body = json.dumps(OBJECT).encode()
    head = (
        "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {target.keys['predict']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answers = keep_asking(target.port, head.encode() + body, connections=_MANY, seconds=2.0)
    assert set(answers.seconds) <= {200, 503}, set(answers.seconds)
    assert answers.seconds[200]
    assert not answers.without_retry
    assert not answers.broken
    time.sleep(1.1)
    assert target.ask("GET", "/health/ready").status == 200


ATTACKS = (smuggled_requests, held_connections, without_measure, too_much_at_once)
