"""Hold what was answered against the labels that came since, and against the holdout."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import duckdb

from server.browse.axes import Axis
from server.contract import Contract
from server.monitor.quantities import Head
from server.monitor.verdicts import State, Thresholds, Verdict, judge_rise, wait
from server.monitor.windows import Window
from server.pages.reliability import wilson

# A mean of errors has about a normal distribution from here on.
_FEWEST_ERRORS = 30
# A mean error that is larger by less than a tenth is no alarm.
_LARGER = 1.1
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Judged:
    """How many rows of a head, or of a bin of time, have a label, and how they did.

    `mean` is the share of right answers, or the mean absolute error of a regression; `sd` is the
    standard deviation of that error.
    """

    rows: int
    mean: float | None
    sd: float | None

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the 95 % interval of the mean: Wilson's of a share, the normal of errors."""
        if self.mean is None:
            return 0.0, 1.0
        if self.sd is None:
            return wilson(self.mean, self.rows)
        half = _Z * self.sd / math.sqrt(self.rows)
        return max(self.mean - half, 0.0), self.mean + half


def count_judged(
    cursor: duckdb.DuckDBPyConnection, view: str, table: str, window: Window, heads: Sequence[Head]
) -> list[Judged]:
    """Return what is known of the rows of each head; one for a model of a single head."""
    found = []
    for head in heads:
        rows = _judged(view, table, window, head.condition)
        (one,) = cursor.execute(f"SELECT {_MEANS} FROM {rows}").fetchall()  # noqa: S608  # names of ours, or quoted
        found.append(_to_judged(*one))
    return found


def count_judged_over_time(
    cursor: duckdb.DuckDBPyConnection, view: str, table: str, window: Window, axis: Axis
) -> dict[int, Judged]:
    """Return the same by the bin of time in which the predictions were made."""
    found = cursor.execute(
        "SELECT ((epoch_us(predicted_at) - ?::BIGINT) // ?::BIGINT)::INTEGER, "  # noqa: S608  # names of ours, or quoted
        f"{_MEANS} FROM {_judged(view, table, window, 'true')} GROUP BY 1 ORDER BY 1",
        [int(axis.low * 1e6), int(axis.width * 1e6)],
    ).fetchall()
    return {number: _to_judged(*rest) for number, *rest in found if 0 <= number < axis.n}


def judge_accuracy(
    heads: Sequence[Head],
    judged: Sequence[Judged],
    contract: Contract,
    thresholds: Thresholds,
) -> list[Verdict]:
    """Return whether the answers are worse than those on the holdout, by head."""
    if not contract.class_names:
        return [_judge_error(each, contract, thresholds) for each in judged[:1]]
    evaluated = {head.head: head for head in contract.evaluation.heads}
    verdicts = []
    for head, each in zip(heads, judged, strict=True):
        confusion = evaluated[head.name].confusion
        if confusion is None:
            continue
        rows = sum(map(sum, confusion))
        right = sum(row[number] for number, row in enumerate(confusion))
        wrong = round(each.rows * (1 - each.mean)) if each.mean is not None else 0
        key = f"accuracy.{head.name}" if head.name else "accuracy"
        title = f"Wrong answers, {head.name}" if head.name else "Wrong answers"
        verdicts.append(
            judge_rise(
                key,
                title,
                (wrong, each.rows),
                (rows - right, rows),
                thresholds,
                of="the holdout",
            )
        )
    return verdicts


def known_mean(contract: Contract) -> float | None:
    """Return the share of right answers on the holdout, or the mean error; of several heads None.

    The accuracy over time is of all heads together, whose mix the holdout does not know.
    """
    if not contract.class_names:
        return next((score.mean for score in contract.metrics if score.name == "mae"), None)
    heads = contract.evaluation.heads
    if len(heads) != 1 or heads[0].confusion is None:
        return None
    right = sum(row[number] for number, row in enumerate(heads[0].confusion))
    return right / max(sum(map(sum, heads[0].confusion)), 1)


def _judge_error(judged: Judged, contract: Contract, thresholds: Thresholds) -> Verdict:
    known = next((score for score in contract.metrics if score.name == "mae"), None)
    z = NormalDist().inv_cdf(1 - thresholds.rate)
    needed: int | None = _FEWEST_ERRORS
    state: State = "too few rows"
    words = "the contract has no mean absolute error, mae, to compare with"
    if known is not None and judged.mean is not None and judged.rows >= _FEWEST_ERRORS:
        spread = judged.sd or 0.0
        room = ((_LARGER - 1) * known.mean / z) ** 2 - known.sd**2
        needed = max(math.ceil(spread**2 / room), _FEWEST_ERRORS) if room > 0 else None
        error = math.hypot(spread / math.sqrt(judged.rows), known.sd)
        is_worse = judged.mean >= _LARGER * known.mean and judged.mean - known.mean > z * error
        state = "ok" if needed is not None and judged.rows >= needed else "too few rows"
        state = "alarm" if is_worse else state
        words = f"{judged.mean:.4g}, and {known.mean:.4g} in {known.split}"
        words += f"; {wait(judged.rows, needed)}" if state == "too few rows" else ""
    elif known is not None:
        words = wait(judged.rows, needed)
    mean, rows = judged.mean, judged.rows
    limit = None if known is None else _LARGER * known.mean
    of = None if known is None else known.mean
    title = "Mean absolute error"
    return Verdict("accuracy", title, state, words, mean, of, limit, rows, needed)


_MEANS = """
    count(*), coalesce(avg(is_correct::INTEGER), avg(abs(error))), stddev_samp(abs(error))
"""


def _judged(view: str, table: str, window: Window, condition: str) -> str:
    judged = (
        f"SELECT prediction_id, predicted_at, is_correct, error FROM {view} WHERE {window.where}"  # noqa: S608  # names of ours, or quoted
    )
    if condition == "true":
        return f"({judged})"
    own = f"SELECT prediction_id FROM {table} WHERE {window.where} AND {condition}"  # noqa: S608  # names of ours, or quoted
    return f"({judged}) SEMI JOIN ({own}) USING (prediction_id)"


def _to_judged(rows: int, mean: float | None, sd: float | None) -> Judged:
    return Judged(rows, mean, sd)
