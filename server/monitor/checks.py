"""Judge the rates of a window: latency, novelty, missing values, the mix of labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.contract import Contract
from server.monitor.chance import Counts
from server.monitor.quantities import Head
from server.monitor.questions import ask_labels, ask_missing, ask_totals
from server.monitor.verdicts import (
    State,
    Thresholds,
    Verdict,
    judge_index,
    judge_rise,
    wait,
)
from server.monitor.windows import Totals, Window

# Requests from which on a 99th percentile is not just the slowest of them.
_LATENCY_REQUESTS = 100
_HOLDOUT = "the holdout"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was said of it, and the SQL that gives its figures."""

    group: str
    verdict: Verdict
    sql: str


def check_latency(
    totals: Totals, window: Window, contract: Contract, thresholds: Thresholds
) -> Check:
    """Judge the 99th percentile of the time the model takes for a request."""
    p99 = totals.latency_ms[-1]
    limit = thresholds.p99_ms
    state: State = "ok"
    words = "no request yet"
    if p99 is not None:
        state = "alarm" if p99 > limit else "ok"
        words = f"{p99:.3g} ms, an alarm above {limit:g} ms"
    if totals.requests < _LATENCY_REQUESTS:
        state = "too few rows"
        words += f"; {wait(totals.requests, _LATENCY_REQUESTS).replace('rows', 'requests')}"
    verdict = Verdict(
        "latency",
        "99th percentile of the model's time",
        state,
        words,
        p99,
        None,
        limit,
        totals.requests,
        _LATENCY_REQUESTS,
    )
    return Check("latency", verdict, ask_totals(window, contract))


def check_novelty(
    totals: Totals, window: Window, contract: Contract, thresholds: Thresholds
) -> list[Check]:
    """Judge how many rows are unlike those of training, by how many of the holdout were."""
    known = contract.novelty
    if known is None:
        return []
    verdict = judge_rise(
        "novelty",
        "Unlike any training row",
        (totals.novel, totals.checked),
        (round(known.false_alarms * known.rows), known.rows),
        thresholds,
        of=_HOLDOUT,
    )
    return [Check("novelty", verdict, ask_totals(window, contract))]


def nullable(contract: Contract) -> list[str]:
    """Return the inputs that may be missing and of which the contract says how often they were."""
    known = contract.reference.inputs if contract.reference else {}
    return [each.name for each in contract.features if each.nullable and each.name in known]


def check_missing(
    totals: Totals, window: Window, contract: Contract, thresholds: Thresholds
) -> list[Check]:
    """Judge how often each input is missing, by how often it was in training."""
    checks = []
    for name in nullable(contract):
        assert contract.reference is not None  # noqa: S101  # else none is named
        rows = contract.reference.rows
        verdict = judge_rise(
            f"missing.{name}",
            f"{name} is missing",
            (totals.missing[name], totals.rows),
            (round(contract.reference.inputs[name].missing * rows), rows),
            thresholds,
            of="the training rows",
        )
        checks.append(Check("missing", verdict, ask_missing(window, contract)))
    return checks


def check_labels(
    labels: Sequence[dict[str, int]],
    heads: Sequence[Head],
    window: Window,
    contract: Contract,
    thresholds: Thresholds,
) -> list[Check]:
    """Judge the mix of labels by what the same head said of the holdout."""
    if not labels:
        return []
    checks = []
    evaluated = {head.head: head for head in contract.evaluation.heads}
    for head, given in zip(heads, labels, strict=True):
        confusion = evaluated[head.name].confusion
        if confusion is None:
            continue
        known = [float(sum(column)) for column in zip(*confusion, strict=True)]
        live = [given.get(name, 0) for name in contract.class_names]
        key = f"labels.{head.name}" if head.name else "labels"
        title = f"Labels, {head.name}" if head.name else "Labels"
        verdict = judge_index(key, title, Counts(live, known), thresholds)
        checks.append(Check("labels", verdict, ask_labels(window, head)))
    return checks
