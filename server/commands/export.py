"""``python -m server export``: write closed hours as Parquet, one table to any program."""

import argparse
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb

from server.commands.labelled import export_labelled
from server.commands.sources import SqlSource, add_url_to, source_of
from server.config import Settings
from server.keeping.archive import ids_missing, rows_in, write_whole
from server.versions.serving import load_champion

# Rows of one file; a busier hour is split between minutes.
MAX_FILE_ROWS = 1_000_000
# How long after its end an hour is closed, beyond the longest wait for a commit: a row bears the
# time at which it was predicted, and that comes before its commit.
_GRACE = timedelta(minutes=1)

_HOURS = """
SELECT model_name, date_trunc('hour', predicted_at) AS hour, count(*) AS predictions
FROM predictions WHERE predicted_at < $until GROUP BY ALL ORDER BY hour, model_name
"""
_MINUTES = """
SELECT date_trunc('minute', predicted_at) AS minute, count(*) AS predictions
FROM predictions
WHERE model_name = $model AND predicted_at >= $since AND predicted_at < $until
GROUP BY minute ORDER BY minute
"""
_ROWS = """
SELECT * FROM predictions
WHERE model_name = $model AND predicted_at >= $since AND predicted_at < $until
ORDER BY prediction_id
"""


@dataclass(frozen=True)
class Part:
    """What one file holds: the predictions of a model between two times, which do not change."""

    model: str
    since: datetime
    until: datetime
    rows: int

    def path(self, replica: str) -> Path:
        """Return where the file lies, in the way of partitions that Hive began."""
        model, name = (quote(text, safe=" ") for text in (self.model, replica))
        folder = Path(f"model={model}") / f"date={self.since:%Y-%m-%d}" / f"replica={name}"
        return folder / f"{self.since:%H%M}.parquet"


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    parser = commands.add_parser(
        "export", help="write closed hours as Parquet, model=/date=/replica="
    )
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder")
    parser.add_argument(
        "--with-labels",
        action="store_true",
        help="write the file --to instead: inputs and truth of what has a label, to train on",
    )
    parser.add_argument("--replica", default=socket.gethostname(), help="default: the host's name")
    add_url_to(parser)
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace, settings: Settings) -> None:
    if asked.with_labels:
        contract = load_champion(settings).contract
        with source_of(settings, asked.url) as source:
            count = export_labelled(source, contract, asked.to)
            print(f"{asked.to}: {count:,} rows with {contract.target.name} from {source.name}")
        return
    files, rows = 0, 0
    with source_of(settings, asked.url) as source:
        for part in export(
            source, asked.to, replica=asked.replica, commit_timeout_s=settings.commit_timeout_s
        ):
            files, rows = files + 1, rows + part.rows
            print(f"{asked.to / part.path(asked.replica)}: {part.rows:,} rows")
    told = f"files: {files:,}, rows: {rows:,}" if files else "nothing new"
    print(f"{told} from {source.name}; every closed hour is written")


def export(
    source: SqlSource,
    to: Path,
    *,
    replica: str,
    commit_timeout_s: float,
    until: datetime = datetime.max,
) -> Iterator[Part]:
    """Write what is missing of the hours before `until`, and yield each part once it is there.

    A file appears whole or not at all. An hour whose files hold as many rows as the log has is left
    alone, so an export can be repeated, and one that was interrupted goes on. So is one whose files
    hold more: they were removed from the log, and stand nowhere else.
    """
    closed = closed_until(datetime.now(UTC).replace(tzinfo=None), commit_timeout_s)
    hours = _hours(source, min(until, closed))
    with duckdb.connect() as reader:
        for hour in hours:
            folder = (to / hour.path(replica)).parent
            files = folder.glob(f"{hour.since:%H}*.parquet")
            if sum(rows_in(path, reader) or 0 for path in files) >= hour.rows:
                continue
            for part in _split(source, hour):
                path = to / part.path(replica)
                if (rows_in(path, reader) or 0) < part.rows and _write(source, part, path, reader):
                    yield part


def closed_until(now: datetime, commit_timeout_s: float) -> datetime:
    """Return the end of the last hour in which nothing can be stored any more."""
    settled = now - _GRACE - timedelta(seconds=commit_timeout_s)
    return settled.replace(minute=0, second=0, microsecond=0)


def _hours(source: SqlSource, until: datetime) -> list[Part]:
    with source.file(_HOURS, {"until": until.isoformat()}, "ndjson") as lines:
        hours = [json.loads(line) for line in lines]
    return [
        Part(hour["model_name"], since, since + timedelta(hours=1), hour["predictions"])
        for hour in hours
        for since in [_time(hour["hour"])]
    ]


def _split(source: SqlSource, part: Part) -> Iterator[Part]:
    """Yield an hour as it is, or in parts of whole minutes where it has too many rows."""
    if part.rows <= MAX_FILE_ROWS:
        yield part
        return
    with source.file(_MINUTES, _bounds(part), "ndjson") as lines:
        minutes = [json.loads(line) for line in lines]
    since, rows = part.since, 0
    for minute in minutes:
        if rows and rows + minute["predictions"] > MAX_FILE_ROWS:
            yield Part(part.model, since, _time(minute["minute"]), rows)
            since, rows = _time(minute["minute"]), 0
        rows += minute["predictions"]
    yield Part(part.model, since, part.until, rows)


def _bounds(part: Part) -> dict[str, str]:
    return {
        "model": part.model,
        "since": part.since.isoformat(),
        "until": part.until.isoformat(),
    }


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _write(source: SqlSource, part: Part, path: Path, reader: duckdb.DuckDBPyConnection) -> bool:
    with source.file(_ROWS, _bounds(part), "parquet") as rows:
        if rows_in(path, reader) is None:
            write_whole(rows, path)
            return True
        beside = path.with_name(f".{path.name}.new")
        try:
            write_whole(rows, beside)
            if ids_missing(reader, [path], [beside]):
                return False
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    return True
