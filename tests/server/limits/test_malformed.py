"""What is no HTTP gets a 4xx or a close, and what follows it on the connection no answer."""

import re

import pytest

from benchmarks import malformed
from benchmarks.malformed_cases import CASES, GET
from server.app import create_app
from server.config import Settings
from tests.server.conftest import OBJECT, SHIPPED, Running

LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: %s\r\n%s\r\n"
ID = re.compile(rb"\r\nX-Request-Id: (\S+)\r\n", re.IGNORECASE)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    database = tmp_path_factory.mktemp("malformed") / "predictions.duckdb"
    running = Running(create_app(Settings(model=SHIPPED, database=database)))
    yield running
    running.stop()
    running.log.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_is_answered_once_or_closed(running, case):
    assert malformed.complaint(case, malformed.ask(running.port, case.sent)) is None


def test_whatever_is_made_of_them_gets_no_500_and_nothing_behind_the_end(running):
    cases = list(malformed.generated(seed=1, count=200))

    told = [malformed.complaint(case, malformed.ask(running.port, case.sent)) for case in cases]

    assert [each for each in told if each] == []
    assert malformed.statuses(malformed.ask(running.port, GET)) == [200]


def test_a_request_that_expects_to_go_on_without_a_body_is_not_joined_to_the_next(running):
    sent = LIVE % (b"one", b"Expect: 100-continue\r\n") + LIVE % (b"two", b"")

    came = malformed.ask(running.port, sent)

    assert malformed.statuses(came) == [200, 200]
    assert ID.findall(came) == [b"one", b"two"]


def test_requests_sent_at_once_are_answered_in_their_order(running):
    body = str(OBJECT).replace("'", '"').encode()
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    sent = b""
    for number in range(30):
        name = b"%d" % number
        alone = (
            head + b"X-Request-ID: " + name + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        sent += (alone, LIVE % (name, b""), alone.replace(b"/predict", b"/predict?explain=true"))[
            number % 3
        ]

    came = malformed.ask(running.port, sent)

    assert malformed.statuses(came) == [200] * 30
    assert ID.findall(came) == [b"%d" % number for number in range(30)]
