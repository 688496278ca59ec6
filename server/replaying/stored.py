"""What the log has stored, piece by piece, for a model that takes the same inputs."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from server.commands.sources import SqlSource
from server.contract import Contract, InvalidModel
from server.scoring.staging import PART_ROWS
from server.sql.guard import SqlRefused
from server.storage.layout import TYPES
from server.storage.parts import quoted
from server.storage.reading import AT_LENGTH

FIXED = ("prediction_id", "predicted_at", "id", "model_name", "model_version")
_UNUSED = ("request_id", "instance", "model_sha256", "warnings", "inference_ms")
# No input bears a name with a backslash, so these can stand beside any.
TRUTH, TRUE_VALUE = "\\truth", "\\true_value"


class Different(InvalidModel):
    """The model takes or gives other things than the log holds; the message names them."""


@dataclass(frozen=True)
class Logged:
    """The columns of the log that are replayed: inputs, and what was answered, with their types."""

    inputs: dict[str, str]
    outputs: dict[str, str]
    is_judged: bool


@dataclass(frozen=True)
class Which:
    """Which predictions are replayed: between two times, of a version, the newest so many."""

    since: datetime
    until: datetime
    version: str | None
    limit: int | None


def find_logged(source: SqlSource) -> Logged:
    """Return what the log holds; of several contracts, the inputs are those of the first."""
    _, rows, _ = source.table("DESCRIBE predictions", {})
    types = {row[0]: row[1] for row in rows}
    names = list(types)
    first = names.index("model_version") + 1
    end = next(k for k, name in enumerate(names) if name in ("label", "value"))
    outputs = {
        name: kind
        for name, kind in list(types.items())[end:]
        if name not in _UNUSED and not name.endswith(AT_LENGTH)
    }
    inputs = {name: types[name] for name in names[first:end] if name not in _UNUSED}
    return Logged(inputs, outputs, _is_judged(source))


def _is_judged(source: SqlSource) -> bool:
    try:
        _, rows, _ = source.table("SELECT prediction_id FROM judged LIMIT 1", {})
    except SqlRefused:  # a log of an older version, which has no labels yet
        return False
    return bool(rows)


def check_same(logged: Logged, contract: Contract) -> None:
    """Raise Different unless the model takes what the log has, and gives what is compared."""
    wanted = {feature.name: TYPES[feature.type] for feature in contract.features}
    columns = {**logged.outputs, **logged.inputs}
    odd = [f"it takes {name}, which the log has not" for name in wanted if name not in columns]
    odd += [
        f"{name} is {wanted[name]} for it and {columns[name]} in the log"
        for name in wanted
        if name in columns and columns[name] != wanted[name]
    ]
    odd += [
        f"it does not take {name}, which the log has"
        for name in logged.inputs
        if name not in wanted
    ]
    given = "label" if contract.class_names else "value"
    if given not in logged.outputs:
        other = "labels" if given == "value" else "values"
        odd.append(f"it gives a {given}, and the log has {other}")
    if odd:
        raise Different(f"{contract.model_name} cannot answer what the log holds: {'; '.join(odd)}")


def fetch(
    source: SqlSource, logged: Logged, contract: Contract, which: Which, folder: Path
) -> Iterator[Path]:
    """Yield Parquet files of at most PART_ROWS predictions, the newest first."""
    where, given = _where(contract, which)
    left = which.limit if which.limit is not None else 2**62
    number = 0
    for since, until, rows in _slices(source, where, given):
        before = "ffffffff-ffff-ffff-ffff-ffffffffffff"
        bounds = given | {"since": since.isoformat(), "until": until.isoformat()}
        while rows > 0 and left > 0:
            n = min(PART_ROWS, left, rows)
            path = folder / f"{number:06}.stored"
            statement = _select(logged, contract, where, n)
            with (
                source.file(statement, bounds | {"before": before}, "parquet") as answer,
                path.open("wb") as file,
            ):
                shutil.copyfileobj(answer, file)
            yield path
            number, rows, left = number + 1, rows - n, left - n
            if rows > 0:
                before = _oldest(source, where, bounds, before, n)


def _where(contract: Contract, which: Which) -> tuple[str, dict[str, str]]:
    """Return the condition of all queries. What lacks an input that must be there is of another
    contract."""
    needed = [f"{quoted(f.name)} IS NOT NULL" for f in contract.features if not f.nullable]
    parts = ["predicted_at >= $since AND predicted_at < $until", *needed]
    given = {"since": which.since.isoformat(), "until": which.until.isoformat()}
    if which.version is not None:
        parts.append("model_version = $version")
        given["version"] = which.version
    return " AND ".join(parts), given


def _slices(
    source: SqlSource, where: str, given: Mapping[str, str]
) -> Iterator[tuple[datetime, datetime, int]]:
    """Yield times between which predictions lie, newest first, hours put together where few."""
    statement = (
        "SELECT date_trunc('hour', predicted_at) AS hour, count(*) AS n "
        f"FROM predictions WHERE {where} GROUP BY hour ORDER BY hour DESC"
    )
    with source.file(statement, given, "ndjson") as lines:
        hours = [json.loads(line) for line in lines]
    until, since, rows = None, None, 0
    first, last = (datetime.fromisoformat(given[name]) for name in ("since", "until"))
    for hour in hours:
        begin = datetime.fromisoformat(hour["hour"]).replace(tzinfo=None)
        if since is not None and until is not None and rows + hour["n"] > PART_ROWS:
            yield max(since, first), min(until, last), rows
            until, rows = None, 0
        until = until or begin + timedelta(hours=1)
        since, rows = begin, rows + hour["n"]
    if since is not None and until is not None:
        yield max(since, first), min(until, last), rows


def _select(logged: Logged, contract: Contract, where: str, rows: int) -> str:
    names = [*FIXED, *(f.name for f in contract.features), *logged.outputs]
    columns = ", ".join(f"p.{quoted(name)}" for name in names)
    truth, joined = ", NULL::VARCHAR AS {}, NULL::DOUBLE AS {}", ""
    if logged.is_judged:
        truth = ", j.truth AS {}, j.true_value AS {}"
        joined = "LEFT JOIN judged j ON j.prediction_id = p.prediction_id"
    truths = truth.format(quoted(TRUTH), quoted(TRUE_VALUE))
    return (
        f"SELECT {columns}{truths} FROM (SELECT * FROM predictions WHERE {where} "
        f"AND prediction_id < $before ORDER BY prediction_id DESC LIMIT {rows}) p {joined}"
    )


def _oldest(
    source: SqlSource, where: str, bounds: Mapping[str, str], before: str, rows: int
) -> str:
    statement = (
        f"SELECT min(prediction_id) AS oldest FROM (SELECT prediction_id FROM predictions "
        f"WHERE {where} AND prediction_id < $before ORDER BY prediction_id DESC LIMIT {rows})"
    )
    _, ((oldest,),), _ = source.table(statement, {**bounds, "before": before})
    return str(oldest)
