"""Hold a stopped server's log to what it said: what is lost, stored twice, or wrong."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks.answers import WrongAnswer
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.pool import Pool

_VIEW = "SELECT 1 FROM information_schema.tables WHERE table_name = 'predictions'"


@dataclass(frozen=True)
class Audit:
    """Rows of a log, and which of them break the promise that a 200 means stored."""

    stored: int
    lost: list[str]
    doubled: list[str]
    wrong: list[str]


def audit(database: Path, ledger: Ledger, pool: Pool) -> Audit:
    """Compare every stored row with what was asked, answered, and said by onnxruntime alone.

    A row is lost if it was acknowledged and is not stored under the id that was told; doubled if
    it is stored more than once, acknowledged or not; wrong if it was never asked for, if its inputs
    or outputs are others, or if a request was stored in part.
    """
    times: Counter[str] = Counter()
    stored_ids: dict[str, str] = {}
    wrong = []
    told = _told(ledger)
    for row in _rows(database, pool):
        row_id = str(row["id"])
        times[row_id] += 1
        if row_id not in told or row["prediction_id"] == told[row_id]["prediction_id"]:
            stored_ids[row_id] = row["prediction_id"]
        try:
            _check_row(row, ledger, pool, told.get(row_id))
        except (WrongAnswer, KeyError, ValueError, IndexError) as error:
            wrong.append(f"{row_id}, as stored: {type(error).__name__}: {error}")
    lost = [row_id for row_id in told if row_id not in stored_ids]
    doubled = [row_id for row_id, count in times.items() if count > 1]
    wrong += _in_part(ledger, times)
    return Audit(times.total(), lost, doubled, wrong)


def _told(ledger: Ledger) -> dict[str, dict[str, Any]]:
    return {
        f"{name}/{place}": prediction
        for name, predictions in ledger.told.items()
        for place, prediction in enumerate(predictions)
    }


def _rows(database: Path, pool: Pool) -> Iterator[dict[str, Any]]:
    names = ["prediction_id", "id", "instance", *pool.features, *pool.outputs]
    columns = ", ".join(f'"{name}"' for name in names)
    with duckdb.connect(str(database), read_only=True) as connection:
        if not connection.execute(_VIEW).fetchall():
            return  # its first start was cut off
        found = connection.execute(
            f"SELECT * REPLACE (prediction_id::VARCHAR AS prediction_id) "  # noqa: S608  # a contract's names
            f"FROM (SELECT {columns} FROM predictions)"
        )
        while cells := found.fetchmany(10_000):
            for each in cells:
                yield dict(zip(names, each, strict=True))


def _check_row(
    row: dict[str, Any], ledger: Ledger, pool: Pool, told: dict[str, Any] | None
) -> None:
    name, _, place = str(row["id"]).rpartition("/")
    if name not in ledger.sent:
        raise WrongAnswer("nobody asked for it")
    number = ledger.sent[name][int(place)]
    if row["instance"] != int(place):
        raise WrongAnswer(f"its place is {row['instance']}")
    for feature in pool.features:
        _require_same(feature, row[feature], pool.instances[number].get(feature))
    pool.check_outputs(number, row)
    for output in pool.outputs if told else ():
        _require_same(output, row[output], told[output])  # type: ignore[index]  # checked above


def _require_same(name: str, stored: Any, given: Any) -> None:
    if isinstance(given, dict):
        for part in given:
            _require_same(f"{name}.{part}", stored[part], given[part])
    elif isinstance(stored, float) and given is not None:
        if np.float32(stored) != np.float32(given):
            raise WrongAnswer(f"{name} is {stored}, not {given}")
    elif stored != given:
        raise WrongAnswer(f"{name} is {stored!r}, not {given!r}")


def _in_part(ledger: Ledger, times: Counter[str]) -> Iterator[str]:
    """Yield each request of which some rows are stored and others not."""
    for name, numbers in ledger.sent.items():
        found = sum(f"{name}/{place}" in times for place in range(len(numbers)))
        if found not in (0, len(numbers)):
            yield f"{name}: {found} of its {len(numbers)} rows are stored"
