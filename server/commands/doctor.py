"""``python -m server doctor``: say how the log is, and save what can be saved of a damaged one."""

import argparse
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from server.commands.sources import RunningServer, add_url_to, address_of
from server.config import Settings
from server.keeping.copying import CopyFailed
from server.keeping.doctor import Doctor
from server.keeping.salvage import salvage
from server.sql.guard import SqlRefused
from server.storage.database import LogUnusable

_MODELS = """
SELECT model_name, model_version, count(*) AS n, min(predicted_at), max(predicted_at)
FROM predictions GROUP BY ALL ORDER BY max(predicted_at)
"""
# Those that say what is kept, and how soon it is on the disk.
_TOLD = ("database", "keep_days", "keep_bytes", "export_dir", "commit_timeout_s")


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    parser = commands.add_parser("doctor", help="say how the log is, and what can be saved")
    parser.add_argument(
        "path", type=Path, nargs="?", metavar="FILE.duckdb", help="default: SEXTANT_DATABASE"
    )
    parser.add_argument(
        "--salvage", type=Path, metavar="DIR", help="write what can be read into a new log there"
    )
    add_url_to(parser)
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace, settings: Settings) -> int:
    settings = replace(settings, database=asked.path or settings.database)
    doctor = Doctor(settings.database)
    for line in doctor.look():
        print(line, flush=True)
    if doctor.is_held:
        _ask_server(RunningServer(asked.url or address_of(settings), "it is held", settings.key))
    for field in fields(settings):
        if field.name in _TOLD:
            print(f"SEXTANT_{field.name.upper()} = {getattr(settings, field.name)}")
    if asked.salvage:
        if doctor.is_held:
            raise CopyFailed("a log that is held is not salvaged: stop the server first")
        for line in salvage(settings.database, asked.salvage):
            print(line, flush=True)
    return doctor.state


def _ask_server(server: RunningServer) -> None:
    try:
        _, rows, _ = server.table(_MODELS, {})
    except (LogUnusable, SqlRefused) as error:
        print(f"what is in it is not known: {str(error).splitlines()[-1]}")
        return
    for model, version, count, first, last in rows:
        print(f"model {model} {version}: {count:,} predictions, {first} to {last}")
