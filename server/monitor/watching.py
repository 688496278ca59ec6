"""What the monitor says of one window: every check, every alarm, and the counts behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from server.config import Settings
from server.contract import Contract
from server.monitor.accuracy import count_judged, judge_accuracy
from server.monitor.chance import Counts, stability_index
from server.monitor.checks import (
    Check,
    check_labels,
    check_latency,
    check_missing,
    check_novelty,
    nullable,
)
from server.monitor.counting import count_bins, count_labels, count_totals
from server.monitor.quantities import Head, Quantity, heads_of, quantities_of
from server.monitor.questions import ask_accuracy, ask_index
from server.monitor.verdicts import Thresholds, Verdict, judge_index
from server.monitor.windows import Totals, Window
from server.storage.fields import Source


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
    source: Source,
    window: Window,
    contract: Contract,
    settings: Settings,
) -> Watched:
    """Count and judge the rows of one window."""
    quantities, heads, table = quantities_of(contract), heads_of(contract), source.table
    totals = count_totals(cursor, table, window, contract)
    bins = count_bins(cursor, table, window, quantities)
    labels = count_labels(cursor, table, window, heads) if contract.class_names else []
    judged = count_judged(cursor, judged_view(source), table, window, heads)
    thresholds = _thresholds(settings, contract, len(quantities), len(labels))
    drifts = [
        _drift(each, counts, window, thresholds)
        for each, counts in zip(quantities, bins, strict=True)
    ]
    accuracy = judge_accuracy(heads, judged, contract, thresholds)
    checks = [
        *_accuracy_checks(accuracy, heads, window),
        check_latency(totals, window, contract, thresholds),
        *check_novelty(totals, window, contract, thresholds),
        *check_missing(totals, window, contract, thresholds),
        *check_labels(labels, heads, window, contract, thresholds),
        *(drift.check for drift in drifts),
    ]
    return Watched(window, totals, thresholds, drifts, checks)


def judged_view(source: Source) -> str:
    """Return the view of the predictions of one contract that have a label."""
    return source.view.name.replace("predictions_", "judged_")


def _accuracy_checks(
    verdicts: Sequence[Verdict], heads: Sequence[Head], window: Window
) -> list[Check]:
    return [
        Check("accuracy", verdict, ask_accuracy(window, head))
        for verdict, head in zip(verdicts, heads, strict=False)
    ]


def _thresholds(
    settings: Settings, contract: Contract, n_quantities: int, n_mixes: int
) -> Thresholds:
    """Share the false alarms of a window among all checks that chance can raise (Bonferroni)."""
    n_missing = len(nullable(contract))
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
    thresholds: Thresholds,
) -> Drift:
    counts = Counts(live, [share * quantity.rows for share in quantity.shares])
    verdict = judge_index(quantity.key, quantity.name, counts, thresholds)
    check = Check("drift", verdict, ask_index(window, quantity, counts.known))
    return Drift(quantity, counts, stability_index(counts), check)
