"""Figures of what was predicted against what turned out to be true, from a cursor.

Each is one statement over the published views, so that what a page says can be asked again as SQL.
Windows are of the time of the prediction, in UTC without a zone; None is an open end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from server.explained import Reliability
from server.pages.reliability import wilson
from server.storage.parts import literal, quoted

# A confusion of a hundred classes; what is rarer than that is left out of it.
_MAX_PAIRS = 10_000
# As export has them: ten bins of a probability, ten groups of a value.
_STATEMENTS = {
    "accuracy": """SELECT count(*) AS judged, count_if(is_correct) AS correct
FROM judged
WHERE is_correct IS NOT NULL""",
    "confusion": f"""SELECT truth, label, count(*) AS predictions
FROM judged
WHERE is_correct IS NOT NULL
GROUP BY truth, label
ORDER BY predictions DESC
LIMIT {_MAX_PAIRS}""",  # noqa: S608  # a number of ours
    "calibration": """SELECT class, avg(p) AS predicted, avg((class = truth)::INTEGER) AS observed,
       count(*) AS predictions
FROM (
    SELECT truth, pair.key AS class, pair.value AS p
    FROM (
        SELECT truth,
               unnest(map_entries(CAST(to_json(probabilities) AS MAP(VARCHAR, DOUBLE)))) AS pair
        FROM judged
        WHERE is_correct IS NOT NULL
    )
)
WHERE p IS NOT NULL
GROUP BY class, least(floor(p * 10), 9)
ORDER BY class, predicted""",
    "error": """SELECT count(*) AS judged, avg(abs(error)) AS mae, sqrt(avg(error * error)) AS rmse,
       avg(error) AS bias
FROM judged
WHERE error IS NOT NULL""",
    "value": """SELECT avg(value) AS predicted, avg(true_value) AS observed, count(*) AS predictions
FROM (
    SELECT value, true_value, ntile(10) OVER (ORDER BY value) AS part
    FROM judged
    WHERE error IS NOT NULL
)
GROUP BY part
ORDER BY predicted""",
    "versions": """SELECT model_name, model_version, count(*) AS judged,
       count(is_correct) AS labelled, count_if(is_correct) AS correct, avg(abs(error)) AS mae,
       sqrt(avg(error * error)) AS rmse, avg(error) AS bias
FROM judged
WHERE label IS NOT NULL OR value IS NOT NULL
GROUP BY model_name, model_version
ORDER BY max(predicted_at) DESC
LIMIT 100""",
    "predictions": """SELECT model_name, model_version, count(*) AS predictions
FROM predictions
WHERE true
GROUP BY model_name, model_version
ORDER BY max(predicted_at) DESC
LIMIT 100""",
}


@dataclass(frozen=True)
class Accuracy:
    """How many of the judged predictions are right, with the 95 % interval of Wilson."""

    judged: int
    correct: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Errors:
    """Mean absolute error, root of the mean square, and mean of predicted less true."""

    judged: int
    mae: float
    rmse: float
    bias: float


@dataclass(frozen=True)
class Scope:
    """Which predictions are judged; `detail` is a column of the model's own and its value."""

    since: datetime | None = None
    until: datetime | None = None
    model: str | None = None
    version: str | None = None
    detail: tuple[str, str] | None = None

    def statement(self, figure: str) -> str:
        """Return the SQL of a figure, of these predictions alone."""
        conditions = [
            f"predicted_at >= TIMESTAMP '{self.since}'" if self.since else "",
            f"predicted_at < TIMESTAMP '{self.until}'" if self.until else "",
            f"model_name = {literal(self.model)}" if self.model is not None else "",
            f"model_version = {literal(self.version)}" if self.version is not None else "",
            f"prediction_id IN (SELECT prediction_id FROM predictions WHERE "  # noqa: S608  # quoted
            f"{quoted(self.detail[0])} = {literal(self.detail[1])})"
            if self.detail
            else "",
        ]
        text = _STATEMENTS[figure]
        start = text.index("WHERE ") + len("WHERE ")
        end = text.find("\n", start)
        own = text[start:] if end < 0 else text[start:end]
        every = " AND ".join([f"({own})" if " OR " in own else own, *filter(None, conditions)])
        return text[:start] + every + ("" if end < 0 else text[end:])


def accuracy(
    cursor: duckdb.DuckDBPyConnection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    version: str | None = None,
    model: str | None = None,
) -> Accuracy | None:
    """Return how many of the classifications that were judged are right; None where none was."""
    found = cursor.execute(Scope(since, until, model, version).statement("accuracy")).fetchone()
    judged, correct = found or (0, 0)
    return to_accuracy(judged, correct)


def to_accuracy(judged: int, correct: int) -> Accuracy | None:
    """Return a share with its interval, or None of nothing."""
    if not judged:
        return None
    low, high = wilson(correct / judged, judged)
    return Accuracy(judged, correct, correct / judged, low, high)


def errors(
    cursor: duckdb.DuckDBPyConnection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    version: str | None = None,
    model: str | None = None,
) -> Errors | None:
    """Return how far the values that were judged are off; None where none was."""
    found = cursor.execute(Scope(since, until, model, version).statement("error")).fetchone()
    return Errors(*found) if found and found[0] else None


def confusion(cursor: duckdb.DuckDBPyConnection, scope: Scope) -> dict[tuple[str, str], int]:
    """Return how often each (truth, label) came."""
    rows = cursor.execute(scope.statement("confusion")).fetchall()
    return {(truth, label): count for truth, label, count in rows}


def macro_f1(counts: dict[tuple[str, str], int], class_names: Sequence[str]) -> float | None:
    """Return the mean F1 of those of `class_names` that were said or true; None where none was.

    Parameters
    ----------
    counts : dict of (truth, label) to int
    """
    scores = []
    for name in class_names:
        true = sum(n for (truth, _), n in counts.items() if truth == name)
        said = sum(n for (_, label), n in counts.items() if label == name)
        if true + said:
            scores.append(2 * counts.get((name, name), 0) / (true + said))
    return sum(scores) / len(scores) if scores else None


def calibration(cursor: duckdb.DuckDBPyConnection, scope: Scope) -> list[Reliability]:
    """Return what was said and what was so, in ten bins of the probability of each class."""
    rows = cursor.execute(scope.statement("calibration")).fetchall()
    return [Reliability(*row) for row in rows]


def value_groups(cursor: duckdb.DuckDBPyConnection, scope: Scope) -> list[Reliability]:
    """Return the means of what was said and what was so, in ten groups by the value."""
    rows: list[Any] = cursor.execute(scope.statement("value")).fetchall()
    return [Reliability("", *row) for row in rows]
