"""What the monitor says of one window: every check, every alarm, and the counts behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from server.config import Settings
from server.contract import Contract
from server.monitor.chance import Counts, stability_index
from server.monitor.counting import (
    Totals,
    Window,
    count_bins,
    count_labels,
    count_totals,
)
from server.monitor.quantities import Head, Quantity, heads_of, quantities_of
from server.monitor.questions import ask_index, ask_labels, ask_missing, ask_totals
from server.monitor.verdicts import (
    State,
    Thresholds,
    Verdict,
    judge_index,
    judge_rise,
    wait,
)

# Requests from which on a 99th percentile is not just the slowest of them.
_LATENCY_REQUESTS = 100
_HOLDOUT = "the holdout"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was said of it, and the SQL that gives its figures."""

    group: str
    verdict: Verdict
    sql: str


@dataclass(frozen=True)
class Drift:
    """A quantity in the window and in training: its counts by bin, and what each bin adds."""

    quantity: Quantity
    counts: Counts
    adds: Sequence[float]
    check: Check


@dataclass(frozen=True)
class Watched:
    """All that was counted and judged of one window."""

    window: Window
    totals: Totals
    thresholds: Thresholds
    drifts: Sequence[Drift]
    checks: Sequence[Check]

    @property
    def alarms(self) -> list[Check]:
        """The checks that are alarms."""
        return [check for check in self.checks if check.verdict.state == "alarm"]


def watch(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    window: Window,
    contract: Contract,
    settings: Settings,
) -> Watched:
    """Count and judge the rows of one window."""
    quantities, heads = quantities_of(contract), heads_of(contract)
    totals = count_totals(cursor, table, window, contract)
    bins = count_bins(cursor, table, window, quantities)
    labels = count_labels(cursor, table, window, heads) if contract.class_names else []
    thresholds = _thresholds(settings, contract, len(quantities), len(labels))
    drifts = [
        _drift(each, counts, window, contract, thresholds)
        for each, counts in zip(quantities, bins, strict=True)
    ]
    checks = [
        _latency(totals, window, contract, thresholds),
        *_novelty(totals, window, contract, thresholds),
        *_missing(totals, window, contract, thresholds),
        *_labels(labels, heads, window, contract, thresholds),
        *(drift.check for drift in drifts),
    ]
    return Watched(window, totals, thresholds, drifts, checks)


def _thresholds(
    settings: Settings, contract: Contract, n_quantities: int, n_mixes: int
) -> Thresholds:
    """Share the false alarms of a window among all checks that chance can raise (Bonferroni)."""
    n_missing = len(_nullable(contract))
    n_right = len(contract.evaluation.heads)
    n_checks = n_quantities + n_mixes + n_missing + n_right + (contract.novelty is not None)
    return Thresholds(
        rate=settings.alarm_rate / max(n_checks, 1),
        index=settings.drift_psi,
        share=settings.alarm_share,
        p99_ms=settings.alarm_p99_ms,
    )


def _drift(
    quantity: Quantity,
    live: Sequence[int],
    window: Window,
    contract: Contract,
    thresholds: Thresholds,
) -> Drift:
    rows = contract.reference.rows if contract.reference else 0
    counts = Counts(live, [share * rows for share in quantity.shares])
    verdict = judge_index(quantity.key, quantity.name, counts, thresholds)
    check = Check("drift", verdict, ask_index(window, quantity, counts.known))
    return Drift(quantity, counts, stability_index(counts), check)


def _latency(totals: Totals, window: Window, contract: Contract, thresholds: Thresholds) -> Check:
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


def _novelty(
    totals: Totals, window: Window, contract: Contract, thresholds: Thresholds
) -> list[Check]:
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


def _nullable(contract: Contract) -> list[str]:
    known = contract.reference.inputs if contract.reference else {}
    return [each.name for each in contract.features if each.nullable and each.name in known]


def _missing(
    totals: Totals, window: Window, contract: Contract, thresholds: Thresholds
) -> list[Check]:
    checks = []
    for name in _nullable(contract):
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


def _labels(
    labels: Sequence[dict[str, int]],
    heads: Sequence[Head],
    window: Window,
    contract: Contract,
    thresholds: Thresholds,
) -> list[Check]:
    """Judge the mix of labels by what the same head said of the holdout."""
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
