"""``python -m server export``: write closed hours as Parquet, one table to any program."""

import argparse
import json
import os
import shutil
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
from server.model import Model

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
        contract = Model(settings.model).contract
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


def export(source: SqlSource, to: Path, *, replica: str, commit_timeout_s: float) -> Iterator[Part]:
    """Write what is missing under `to`, and yield each part once it is there.

    A file appears whole or not at all. One that holds as many rows as the log has for it is left
    alone, so an export can be repeated, and one that was interrupted goes on.
    """
    until = _closed_until(datetime.now(UTC).replace(tzinfo=None), commit_timeout_s)
    parts = list(_parts(source, until))
    with duckdb.connect() as reader:
        for part in parts:
            path = to / part.path(replica)
            if _rows_in(path, reader) != part.rows:
                _write(source, part, path)
                yield part


def _closed_until(now: datetime, commit_timeout_s: float) -> datetime:
    settled = now - _GRACE - timedelta(seconds=commit_timeout_s)
    return settled.replace(minute=0, second=0, microsecond=0)


def _parts(source: SqlSource, until: datetime) -> Iterator[Part]:
    with source.file(_HOURS, {"until": until.isoformat()}, "ndjson") as lines:
        hours = [json.loads(line) for line in lines]
    for hour in hours:
        since = _time(hour["hour"])
        part = Part(hour["model_name"], since, since + timedelta(hours=1), hour["predictions"])
        yield from [part] if part.rows <= MAX_FILE_ROWS else _split(source, part)


def _split(source: SqlSource, part: Part) -> Iterator[Part]:
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


def _rows_in(path: Path, reader: duckdb.DuckDBPyConnection) -> int | None:
    if not path.exists():
        return None
    name = str(path.absolute())
    try:
        reader.execute("SELECT num_rows FROM parquet_file_metadata($1)", [name])
        ((rows,),) = reader.fetchall()
    except duckdb.Error:
        return None  # damaged: it is written anew
    return int(rows)


def _write(source: SqlSource, part: Part, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    growing = path.with_name(f".{path.name}.part")
    with source.file(_ROWS, _bounds(part), "parquet") as rows, growing.open("wb") as file:
        shutil.copyfileobj(rows, file)
        file.flush()
        os.fsync(file.fileno())
    growing.replace(path)
