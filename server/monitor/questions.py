"""The SQL behind each figure of the monitor, as anybody can ask it of the published views."""

from collections.abc import Sequence

from server.browse.axes import Axis
from server.contract import Contract
from server.monitor.quantities import Head, Quantity
from server.monitor.windows import Window
from server.storage.parts import literal, quoted

_PER_REQUEST = """\
       round(quantile_cont(inference_ms, 0.50) FILTER (instance = 0), 3) AS p50_ms,
       round(quantile_cont(inference_ms, 0.95) FILTER (instance = 0), 3) AS p95_ms,
       round(quantile_cont(inference_ms, 0.99) FILTER (instance = 0), 3) AS p99_ms"""


def ask_over_time(window: Window, contract: Contract, axis: Axis) -> str:
    """Return SQL for traffic, latency, novelty and warnings by the bins of an axis."""
    us = int(axis.width * 1e6)
    return (
        f"SELECT make_timestamp(epoch_us(predicted_at) // {us} * {us}) AS begins,\n"
        f"       {_sums(contract)},\n{_PER_REQUEST}\n"
        f"{_from(window)}\nGROUP BY begins\nORDER BY begins"
    )


def ask_totals(window: Window, contract: Contract) -> str:
    """Return SQL for the same over the whole window."""
    return f"SELECT {_sums(contract)},\n{_PER_REQUEST}\n{_from(window)}"


def ask_missing(window: Window, contract: Contract) -> str:
    """Return SQL for how often each input is missing."""
    columns = ",\n       ".join(
        f"count(*) - count({quoted(feature.name)}) AS {quoted(feature.name)}"
        for feature in contract.features
    )
    return f"SELECT count(*) AS predictions,\n       {columns}\n{_from(window)}"


def ask_labels(window: Window, head: Head) -> str:
    """Return SQL for the labels that one head gave."""
    return (
        "SELECT label, count(*) AS predictions\n"
        f"{_from(window, head.condition)}\nGROUP BY label\nORDER BY predictions DESC, label"
    )


def ask_accuracy(window: Window, head: Head) -> str:
    """Return SQL for how many answers of a head were right, of those that have a label."""
    own = ""
    if head.condition != "true":
        own = (
            "\nSEMI JOIN (SELECT prediction_id FROM predictions "  # noqa: S608  # names of ours, or quoted
            f"WHERE {window.where} AND {head.condition}) USING (prediction_id)"
        )
    return (
        "SELECT count(*) AS judged, count(*) FILTER (is_correct) AS right_answers,\n"  # noqa: S608  # names of ours, or quoted
        "       count(*) FILTER (NOT is_correct) AS wrong_answers,\n"
        "       avg(abs(error)) AS mean_absolute_error\n"
        f"FROM (SELECT * FROM judged WHERE {window.where}){own}"
    )


def ask_index(window: Window, quantity: Quantity, known: Sequence[float]) -> str:
    """Return SQL for the stability index of a quantity, bin by bin.

    It does what `chance.stability_index` does, over the counts of `counting.count_bins`.
    """
    rows = ",\n    ".join(
        f"({place}, {literal(name)}, {count:.6f}::DOUBLE)"
        for place, (name, count) in enumerate(zip(quantity.names, known, strict=True), 1)
    )
    return f"""\
WITH training(place, bin, known) AS (VALUES
    {rows}),
counted AS (
    SELECT CASE {_cases(quantity)} END AS place, count(*) AS n
    FROM (SELECT {quantity.published} AS x {_from(window, quantity.condition)})
    GROUP BY place),
sides AS (
    SELECT place, bin, coalesce(n, 0) AS live, known
    FROM training LEFT JOIN counted USING (place)
    WHERE coalesce(n, 0) + known > 0),
shares AS (
    SELECT *, (live + 0.5) / (sum(live) OVER () + count(*) OVER () / 2) AS p,
           (known + 0.5) / (sum(known) OVER () + count(*) OVER () / 2) AS q
    FROM sides)
SELECT bin, live, round(known) AS training, (p - q) * ln(p / q) AS adds,
       sum((p - q) * ln(p / q)) OVER () AS psi
FROM shares
ORDER BY place"""  # noqa: S608  # names of ours, or quoted


def _cases(quantity: Quantity) -> str:
    last = len(quantity.names)
    if quantity.categories is None:
        tests = [f"x <= {_number(edge)}" for edge in quantity.edges]
    else:
        tests = [f"x = {literal(category)}" for category in quantity.categories]
    cases = [f"WHEN {test} THEN {place}" for place, test in enumerate(tests, 1)]
    return "\n        ".join([f"WHEN x IS NULL THEN {last}", *cases, f"ELSE {last - 1}"])


def _number(edge: float) -> str:
    # With an exponent it is a DOUBLE, of which FLOAT is made as of the edges themselves; without
    # it would be a DECIMAL.
    return f"{edge:.9e}::FLOAT"


def _sums(contract: Contract) -> str:
    columns = [
        "count(*) AS predictions",
        "count(*) FILTER (instance = 0) AS requests",
        "count(*) FILTER (len(warnings) > 0) AS warned",
    ]
    if any(output.role == "novelty" for output in contract.outputs):
        columns.append("count(novelty) AS checked")
        columns.append("count(*) FILTER (len(novelty) > 0) AS novel")
    return ",\n       ".join(columns)


def _from(window: Window, condition: str = "true") -> str:
    also = "" if condition == "true" else f" AND {condition}"
    return f"FROM predictions WHERE {window.where}{also}"
