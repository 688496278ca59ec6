"""What the monitor says, as programs read it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from server.contract import Contract
from server.monitor.checks import Check
from server.monitor.verdicts import count_states
from server.monitor.watching import Drift, Watched
from server.monitor.windows import QUANTILES


def to_json(
    watched: Watched, contract: Contract, others: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the alarms first, then every check and the counts behind them."""
    totals, thresholds = watched.totals, watched.thresholds
    names = [f"p{100 * quantile:g}" for quantile in QUANTILES]
    reference = contract.reference
    return {
        "model": {"name": watched.window.name, "version": watched.window.version},
        "window": {"from": _time(watched.window.since), "to": _time(watched.window.until)},
        "states": count_states([check.verdict for check in watched.checks]),
        "alarms": [_check(check) for check in watched.alarms],
        "checks": [_check(check) for check in watched.checks],
        "traffic": {"predictions": totals.rows, "requests": totals.requests},
        "latency_ms": dict(zip(names, totals.latency_ms, strict=True)),
        "novelty": {"novel": totals.novel, "of": totals.checked},
        "warnings": {"warned": totals.warned, "of": totals.rows},
        "missing": totals.missing,
        "drift": {drift.quantity.key: _drift(drift) for drift in watched.drifts},
        "reference_rows": reference.rows if reference else None,
        "false_alarms": {"of_a_check": thresholds.rate, "checks": _n_tests(watched)},
        "others": list(others),
    }


def _check(check: Check) -> dict[str, Any]:
    verdict = check.verdict
    return {
        "check": verdict.key,
        "group": check.group,
        "title": verdict.title,
        "state": verdict.state,
        "detail": verdict.words,
        "value": verdict.value,
        "known": verdict.known,
        "threshold": verdict.threshold,
        "rows": verdict.rows,
        "rows_needed": verdict.rows_needed,
        "sql": check.sql,
    }


def _drift(drift: Drift) -> dict[str, Any]:
    verdict = drift.check.verdict
    bins = zip(drift.quantity.names, drift.counts.live, drift.counts.known, drift.adds, strict=True)
    return {
        "kind": drift.quantity.kind,
        "name": drift.quantity.name,
        "state": verdict.state,
        "psi": verdict.value,
        "threshold": verdict.threshold,
        "rows": verdict.rows,
        "rows_needed": verdict.rows_needed,
        "bins": [
            {"bin": name, "live": live, "training": round(known, 3), "adds": adds}
            for name, live, known, adds in bins
        ],
    }


def _n_tests(watched: Watched) -> int:
    return sum(check.group != "latency" for check in watched.checks)


def _time(time: datetime) -> str:
    return f"{time.isoformat(timespec='microseconds')}Z"
