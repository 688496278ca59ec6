"""Count the rows of a window, by bin and over time; DuckDB does it, and no row is fetched."""

from collections.abc import Sequence
from typing import Any

import duckdb

from server.browse.axes import Axis
from server.contract import Contract
from server.monitor.quantities import Head, Quantity
from server.monitor.windows import QUANTILES, Moment, Totals, Window
from server.storage.fields import Source
from server.storage.parts import quoted

_SUMS = """
    count(*), count(*) FILTER (instance = 0),
    count(*) FILTER (len(warnings) > 0), {checked}, {novel},
    quantile_cont(inference_ms, [0.5, 0.95, 0.99]) FILTER (instance = 0)
"""


def count_totals(
    cursor: duckdb.DuckDBPyConnection, table: str, window: Window, contract: Contract
) -> Totals:
    """Return the totals of a window."""
    inputs = [feature.name for feature in contract.features]
    present = "".join(f", count({quoted(name)})" for name in inputs)
    (found,) = cursor.execute(
        f"SELECT {_sums(contract)}{present} FROM {table} WHERE {window.where}"  # noqa: S608  # names of ours, or quoted
    ).fetchall()
    rows, requests, warned, checked, novel, quantiles, *counts = found
    missing = {name: rows - count for name, count in zip(inputs, counts, strict=True)}
    return Totals(
        rows, requests, quantiles or [None] * len(QUANTILES), warned, checked, novel, missing
    )


def count_moments(
    cursor: duckdb.DuckDBPyConnection, table: str, window: Window, contract: Contract, axis: Axis
) -> list[Moment]:
    """Return the same, but what is missing, by the bin of a time axis."""
    found = cursor.execute(
        "SELECT ((epoch_us(predicted_at) - ?::BIGINT) // ?::BIGINT)::INTEGER, "  # noqa: S608  # names of ours, or quoted
        f"{_sums(contract)} FROM {table} WHERE {window.where} GROUP BY 1 ORDER BY 1",
        [int(axis.low * 1e6), int(axis.width * 1e6)],
    ).fetchall()
    return [
        Moment(number, rows, requests, warned, checked, novel, ms or [None] * len(QUANTILES))
        for number, rows, requests, warned, checked, novel, ms in found
        if 0 <= number < axis.n
    ]


def count_labels(
    cursor: duckdb.DuckDBPyConnection, table: str, window: Window, heads: Sequence[Head]
) -> list[dict[str, int]]:
    """Return how many rows of a window have which label, by head."""
    counts = "".join(f", count(*) FILTER ({head.condition})" for head in heads)
    found = cursor.execute(
        f"SELECT label{counts} FROM {table} WHERE {window.where} GROUP BY label"  # noqa: S608  # names of ours, or quoted
    ).fetchall()
    return [{label: row[number] for label, *row in found} for number in range(len(heads))]


def count_bins(
    cursor: duckdb.DuckDBPyConnection, table: str, window: Window, quantities: Sequence[Quantity]
) -> list[list[int]]:
    """Return how many rows of a window lie in each bin of each quantity; all in one pass."""
    if not quantities:
        return []
    columns, values = [], []
    for each in quantities:
        columns.append(f"count(*) FILTER ({each.condition})")
        columns.append(f"map_values({_histogram(each)} FILTER ({each.condition}))")
        values.append(each.categories if each.categories is not None else list(each.edges))
    (found,) = cursor.execute(
        f"SELECT {', '.join(columns)} FROM {table} WHERE {window.where}",  # noqa: S608  # names of ours, or quoted
        values,
    ).fetchall()
    return [
        _with_missing(each, total, counts or [])
        for each, total, counts in zip(quantities, found[::2], found[1::2], strict=True)
    ]


def count_others(
    cursor: duckdb.DuckDBPyConnection, sources: Sequence[Source], window: Window
) -> list[dict[str, Any]]:
    """Return what else was answered in a window: by model and version, the most first."""
    rows = " UNION ALL ".join(
        f"SELECT model_name, model_version, predicted_at FROM {source.table}"  # noqa: S608  # names of ours
        for source in sources
    )
    found = cursor.execute(
        f"SELECT model_name, model_version, count(*) FROM ({rows}) "  # noqa: S608  # names of ours
        "WHERE predicted_at >= ? AND predicted_at < ? GROUP BY ALL ORDER BY 3 DESC, 1, 2",
        [window.since, window.until],
    ).fetchall()
    return [
        {"name": name, "version": version, "rows": count}
        for name, version, count in found
        if (name, version) != (window.name, window.version)
    ]


def _sums(contract: Contract) -> str:
    if any(output.role == "novelty" for output in contract.outputs):
        checked = "count(novelty)"
        novel = "count(*) FILTER (list_contains(novelty, true))"
    else:
        checked = novel = "0"
    return _SUMS.format(checked=checked, novel=novel)


def _histogram(quantity: Quantity) -> str:
    if quantity.categories is None:
        return f"histogram({quantity.stored}, ?::FLOAT[])"
    # A number a category, from 1 on: texts of callers are no keys of a map that grows with them.
    every = range(len(quantity.categories) + 1)
    position = f"coalesce(list_position(?::VARCHAR[], {quantity.stored}), 0)"
    place = f"CASE WHEN {quantity.stored} IS NOT NULL THEN {position} END"
    return f"histogram({place}, {list(every)})"


def _with_missing(quantity: Quantity, total: int, counts: list[int]) -> list[int]:
    # DuckDB leaves out the bin above all edges where it is empty, and all where no row is.
    bins = len(quantity.names) - 1
    counts = [*counts, *[0] * (bins - len(counts))]
    if quantity.categories is not None:
        counts = [*counts[1:], counts[0]]
    return [*counts, total - sum(counts)]
