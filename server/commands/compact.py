"""``python -m server compact``: write the log anew, without what was removed."""

import argparse
from typing import Any

from server.config import Settings
from server.keeping.restoring import compact
from server.storage.database import LogUnusable


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    parser = commands.add_parser("compact", help="write the log anew without what was removed")
    parser.set_defaults(run=_run)


def _run(_asked: argparse.Namespace, settings: Settings) -> None:
    if not settings.database.exists():
        raise LogUnusable(f"{settings.database}: no such file: set SEXTANT_DATABASE to the log")
    before, after = compact(settings.database)
    print(f"{settings.database}: {before / 1e6:,.1f} MB before, {after / 1e6:,.1f} MB now")
