"""The rules by which a switch is safe: each alone, and what chance does to them."""

import dataclasses

import pytest

from server.replaying.findings import Findings
from server.replaying.verdict import Tolerance, judge, sign_test, wilson

GOOD = Findings(
    rows=10_000,
    unanswered=0,
    first=None,
    last=None,
    versions=[],
    changed=50,
    changes=[],
    class_names=["a", "b"],
    moved={"mean": 0.01, "p50": 0.0, "p99": 0.05, "max": 0.5},
    spread=None,
    sets=None,
    novelty={"rows": 10_000, "before": 100, "after": 110, "only_before": 0, "only_after": 10},
)
REGRESSION = {"changed": None, "spread": 2.0}


def verdict(**changed):
    return judge(dataclasses.replace(GOOD, **changed), Tolerance()).word


def test_what_keeps_every_rule_is_safe():
    assert verdict() == "safe"


@pytest.mark.parametrize(
    "broken",
    [
        {"unanswered": 1},
        {"changed": 101},
        {"moved": {**GOOD.moved, "p99": 0.11}},
        {"novelty": {**GOOD.novelty, "after": 201}},
        {"judged": {"rows": 100, "lost": 10, "won": 2}},
        {**REGRESSION, "moved": {**GOOD.moved, "p99": 0.21}},
    ],
)
def test_one_broken_rule_is_not_safe(broken):
    assert verdict(**broken) == "not safe"


@pytest.mark.parametrize("unknown", [{"rows": 100, "changed": 0}, {"moved": None}])
def test_what_cannot_be_told_is_not_called_safe(unknown):
    assert verdict(**unknown) == "cannot tell"


@pytest.mark.parametrize(
    "fine",
    [
        {"judged": {"rows": 100, "lost": 5, "won": 4}},
        {"judged": {"rows": 100, "lost": 0, "won": 0}},
        {**REGRESSION, "moved": {**GOOD.moved, "p99": 0.19}},
        {"novelty": None},
    ],
)
def test_what_chance_does_is_no_fault(fine):
    assert verdict(**fine) == "safe"


def test_the_interval_of_a_share_is_wilsons():
    # Brown, Cai and DasGupta 2001 give 0 of 20 as 0 to 0.161.
    assert wilson(0, 20) == (0, pytest.approx(0.161, abs=1e-3))


@pytest.mark.parametrize(
    ("lost", "won", "p"), [(0, 0, 1), (1, 0, 0.5), (5, 0, 1 / 32), (2, 1, 0.5)]
)
def test_the_sign_test_counts_coins(lost, won, p):
    assert sign_test(lost, won) == pytest.approx(p)


def test_the_sign_test_of_many_agrees_with_that_of_fewer():
    assert sign_test(530, 470) == pytest.approx(sign_test(530, 471), rel=0.1)
    assert 0 < sign_test(530, 471) < 0.05
