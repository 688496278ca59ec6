"""What came of a replay, counted in DuckDB over the pairs of answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.contract import Contract
from server.replaying.pairs import Pairs
from server.replaying.rerun import common_classes
from server.replaying.stored import Logged
from server.storage.parts import quoted

# Examples on the page; the Parquet file has all.
_EXAMPLES = 25


@dataclass(frozen=True)
class Findings:
    """The figures of one replay; `None` or empty where log or model do not say what it needs."""

    rows: int
    unanswered: int
    first: str | None
    last: str | None
    versions: Sequence[Mapping[str, Any]]
    # Of classification: how many labels changed, and from which to which.
    changed: int | None
    changes: Sequence[Mapping[str, Any]]
    class_names: Sequence[str]
    # How far the value moved, or the probability that moved most: mean, p50, p99, max.
    moved: Mapping[str, float] | None
    # The standard deviation of the stored values of a regression: what is far.
    spread: float | None
    # Prediction sets, or intervals: how many changed, and their mean size before and after.
    sets: Mapping[str, float] | None
    # Novel rows before and after, and those that are only before or only after.
    novelty: Mapping[str, int] | None
    # Other things said of each row, such as the head: how many changed.
    details: Mapping[str, int] = field(default_factory=dict)
    # Where the truth is known: rows, and how they were answered before and after.
    judged: Mapping[str, float] | None = None
    examples: Sequence[Mapping[str, Any]] = ()


def find(ask: Pairs, logged: Logged, contract: Contract, unanswered: int) -> Findings:
    """Count what the pairs hold."""
    is_class = bool(contract.class_names)
    whole = ask.row(
        "count(*) AS rows, min(predicted_at)::VARCHAR AS first, max(predicted_at)::VARCHAR AS last"
    )
    moved = ask.row(
        "avg(moved) AS mean, quantile_cont(moved, 0.5) AS p50, "
        "quantile_cont(moved, 0.99) AS p99, max(moved) AS max"
    )
    return Findings(
        rows=whole["rows"],
        unanswered=unanswered,
        first=whole["first"],
        last=whole["last"],
        versions=ask.rows(
            "model_name AS model, model_version AS version, count(*) AS rows"
            + (f", {_CHANGED} AS changed" if is_class else ""),
            "GROUP BY ALL ORDER BY rows DESC LIMIT 50",
        ),
        changed=ask.row(f"{_CHANGED} AS n")["n"] if is_class else None,
        changes=ask.rows(_FROM_TO, "GROUP BY ALL ORDER BY ALL") if is_class else [],
        class_names=common_classes(logged, contract),
        moved=moved if moved["mean"] is not None else None,
        spread=None if is_class else ask.row("stddev_samp(stored.value::DOUBLE) AS s")["s"],
        sets=_sets(ask, logged, contract),
        novelty=_novelty(ask, logged, contract),
        details=_details(ask, logged, contract),
        judged=_judged(ask, logged, is_class=is_class),
        examples=_examples(ask, is_class=is_class),
    )


_CHANGED = "count(*) FILTER (stored.label IS DISTINCT FROM replayed.label)"
_FROM_TO = 'stored.label AS "from", replayed.label AS "to", count(*) AS rows'


def _have(logged: Logged, contract: Contract, name: str) -> bool:
    return name in logged.outputs and any(each.name == name for each in contract.outputs)


def _sets(ask: Pairs, logged: Logged, contract: Contract) -> dict[str, Any] | None:
    if _have(logged, contract, "prediction_set"):
        before, after = "list_sort(stored.prediction_set)", "list_sort(replayed.prediction_set)"
        size = "len"
    elif _have(logged, contract, "interval"):
        before, after = 'stored."interval"', 'replayed."interval"'
        size = ""
    else:
        return None
    sizes = [
        f"avg({size}({each}))" if size else f"avg({each}.high - {each}.low)"
        for each in (before, after)
    ]
    found = ask.row(
        f"count({before}) AS rows, count(*) FILTER ({before} <> {after}) AS changed, "
        f"{sizes[0]} AS size_before, {sizes[1]} AS size_after"
    )
    return found if found["rows"] else None


def _novelty(ask: Pairs, logged: Logged, contract: Contract) -> dict[str, Any] | None:
    if not _have(logged, contract, "novelty"):
        return None
    before, after = "len(stored.novelty) > 0", "len(replayed.novelty) > 0"
    found = ask.row(
        f"count(stored.novelty) AS rows, count(*) FILTER ({before}) AS before, "
        f"count(*) FILTER ({after} AND stored.novelty IS NOT NULL) AS after, "
        f"count(*) FILTER ({before} AND NOT {after}) AS only_before, "
        f"count(*) FILTER (NOT {before} AND {after}) AS only_after"
    )
    return found if found["rows"] else None


def _details(ask: Pairs, logged: Logged, contract: Contract) -> dict[str, int]:
    names = [name for name in contract.details if name in logged.outputs]
    return {
        name: ask.row(
            f"count(*) FILTER (stored.{quoted(name)} IS DISTINCT FROM replayed.{quoted(name)}) AS n"
        )["n"]
        for name in names
    }


def _judged(ask: Pairs, logged: Logged, *, is_class: bool) -> dict[str, Any] | None:
    if not logged.is_judged:
        return None
    if is_class:
        was, now = "stored.label = truth", "replayed.label = truth"
        found = ask.row(
            f"count(truth) AS rows, count(*) FILTER ({was}) AS right_before, "
            f"count(*) FILTER ({now}) AS right_after, "
            f"count(*) FILTER ({was} AND NOT {now}) AS lost, "
            f"count(*) FILTER (NOT {was} AND {now}) AS won"
        )
    else:
        errors = "abs(stored.value - true_value)", "abs(replayed.value - true_value)"
        found = ask.row(
            f"count(true_value) AS rows, avg({errors[0]}) AS error_before, "
            f"avg({errors[1]}) AS error_after, "
            f"count(*) FILTER ({errors[1]} > {errors[0]}) AS lost, "
            f"count(*) FILTER ({errors[1]} < {errors[0]}) AS won"
        )
    return found if found["rows"] else None


def _examples(ask: Pairs, *, is_class: bool) -> list[dict[str, Any]]:
    said = "label" if is_class else "value"
    first = "(stored.label IS DISTINCT FROM replayed.label) DESC, " if is_class else ""
    return ask.rows(
        f"prediction_id::VARCHAR AS prediction_id, id, stored.{said} AS before, "
        f"replayed.{said} AS after, moved, "
        f"{'truth' if is_class else 'true_value'} AS truth",
        f"ORDER BY {first} moved DESC NULLS LAST, prediction_id LIMIT {_EXAMPLES}",
    )
