"""``python -m server prune``: export and remove what is too old, or too much."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from server.commands.sources import RunningServer, add_url_to, database_or_server
from server.config import Settings
from server.keeping.due import rules_of
from server.keeping.exporting import NotExported
from server.keeping.logs import StoppedLog
from server.keeping.retention import Step, prune


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    parser = commands.add_parser("prune", help="export and remove what is too old, or too much")
    parser.add_argument("--days", type=float, help="age to keep; default: SEXTANT_KEEP_DAYS")
    parser.add_argument("--bytes", type=int, help="size to keep; default: SEXTANT_KEEP_BYTES")
    parser.add_argument("--dry-run", action="store_true", help="say what is due, no more")
    parser.add_argument(
        "--without-export", action="store_true", help="remove for good what is in no file"
    )
    add_url_to(parser)
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace, settings: Settings) -> None:
    with database_or_server(settings, asked.url) as found:
        if isinstance(found, RunningServer):
            steps = _of_server(found, asked)
        else:
            log = StoppedLog(found, settings.database)
            rules = rules_of(settings, asked.days, asked.bytes, asked.without_export)
            steps = prune(log, rules, dry_run=asked.dry_run)
        for step in steps:
            print(step.told, flush=True)


def _of_server(server: RunningServer, asked: argparse.Namespace) -> Iterator[Step]:
    wanted = {
        "days": asked.days,
        "bytes": asked.bytes,
        "dry_run": asked.dry_run,
        "without_export": asked.without_export,
    }
    with server.send("/prune", wanted) as lines:
        for line in lines:
            step = Step(**json.loads(line))
            if step.kind == "refused":
                raise NotExported(step.told)
            yield step
