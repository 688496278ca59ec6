"""What the page of the monitor shows: the checks, and how the figures went over time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from server.browse.addresses import Address
from server.browse.aggregates import count_over_time, summarize
from server.browse.axes import number_text, time_axis, to_time
from server.browse.drawing import draw_bars, to_series
from server.browse.filters import Filter
from server.browse.selection import Selection
from server.browse.terms import verbatim
from server.contract import Contract
from server.monitor.accuracy import count_judged_over_time, known_mean
from server.monitor.counting import count_moments
from server.monitor.courses import (
    Pair,
    draw_judged,
    draw_latency,
    draw_mix,
    draw_pairs,
    draw_shares,
)
from server.monitor.quantities import Head
from server.monitor.questions import ask_accuracy, ask_over_time
from server.monitor.verdicts import count_states
from server.monitor.watching import Drift, Watched, judged_view
from server.monitor.windows import Moment, Window
from server.pages.place_words import share_of
from server.storage.fields import Source

_TIMES = 60
_PERIODS = {"1h": "Last hour", "24h": "Last day", "7d": "Last week", "30d": "Last 30 days"}


def to_page(
    cursor: duckdb.DuckDBPyConnection,
    source: Source,
    watched: Watched,
    contract: Contract,
    address: Address,
) -> dict[str, Any]:
    """Return the variables of the template."""
    window = watched.window
    given = {name for name, _ in address.parameters}
    last = address.text("last") or ("24h" if not given & {"from", "to"} else "")
    return {
        "address": address,
        "watched": watched,
        "states": count_states([check.verdict for check in watched.checks]),
        "periods": _PERIODS,
        "last": last,
        "is_served": window.version == contract.model_version,
        "predictions": _predictions(window),
        "share_of": share_of,
        "drifts": [(drift, _pairs(drift)) for drift in _worst_first(watched.drifts)],
        "widest": _widest(watched),
        **_courses(cursor, source, watched, contract),
    }


def _worst_first(drifts: Sequence[Drift]) -> list[Drift]:
    return sorted(drifts, key=lambda drift: -(drift.check.verdict.value or 0))


def _pairs(drift: Drift) -> list[Pair]:
    return draw_pairs(drift.quantity.names, drift.counts.known, drift.counts.live, drift.adds)


def _widest(watched: Watched) -> float:
    """Return the index at the right end of the bars."""
    found = [drift.check.verdict for drift in watched.drifts]
    numbers = [each for one in found for each in (one.value, one.threshold) if each is not None]
    return max([*numbers, 2 * watched.thresholds.index])


def _predictions(window: Window) -> Address:
    """Return the address of the predictions of a window."""
    ends = ("from", window.since.isoformat()), ("to", window.until.isoformat())
    return Address("/predictions", (*ends, *_conditions(window)))


def _conditions(window: Window) -> list[tuple[str, str]]:
    return [("model", verbatim(window.name)), ("version", verbatim(window.version))]


def _courses(
    cursor: duckdb.DuckDBPyConnection, source: Source, watched: Watched, contract: Contract
) -> dict[str, Any]:
    window, predictions = watched.window, _predictions(watched.window)
    conditions = tuple((name, (text,)) for name, text in _conditions(window))
    selection = Selection([source], Filter(window.since, window.until, conditions))
    summary = summarize(cursor, selection)
    if summary.begin is None or summary.end is None:
        return {"traffic": None}
    now = datetime.now(UTC).replace(tzinfo=None)
    axis = time_axis(summary.begin, max(summary.end, min(window.until, now)), _TIMES)
    series = to_series(summary.by_label, contract.class_names)

    def begins(number: int) -> str:
        return f"{to_time(axis.edge(number)):%Y-%m-%d %H:%M:%S}"

    def address_of(number: int) -> str:
        times = (to_time(axis.edge(each)).isoformat() for each in (number, number + 1))
        return predictions.changed(dict(zip(("from", "to"), times, strict=True)))

    counts = count_over_time(cursor, selection, axis)
    traffic = draw_bars(counts, axis, series, begins, address_of)
    moments = count_moments(cursor, source.table, window, contract, axis)
    novelty = contract.novelty
    judged = count_judged_over_time(cursor, judged_view(source), source.table, window, axis)
    text_of = share_of if contract.class_names else number_text
    return {
        "judged": judged,
        "text_of": text_of,
        "accuracy": draw_judged(judged, axis, known_mean(contract), text_of, begins, address_of),
        "summary": summary,
        "series": series,
        "moments": moments,
        "begins": begins,
        "address_of": address_of,
        "traffic": traffic,
        "mix": draw_mix(traffic) if len(series) > 1 else None,
        "latency": draw_latency(moments, axis, begins, address_of),
        "novelty": draw_shares(
            moments,
            axis,
            _novel,
            novelty.false_alarms if novelty else None,
            begins,
            address_of,
        ),
        "warned": draw_shares(moments, axis, _warned, None, begins, address_of),
        "accuracy_sql": ask_accuracy(window, Head("", "true")),
        "over_time_sql": ask_over_time(window, contract, axis),
    }


def _novel(moment: Moment) -> float | None:
    return moment.novel / moment.checked if moment.checked else None


def _warned(moment: Moment) -> float | None:
    return moment.warned / moment.rows
