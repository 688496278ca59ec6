"""``python -m server restore``: put a backup in the place of the log, while no server runs."""

import argparse
from pathlib import Path
from typing import Any

from server.config import Settings
from server.keeping.restoring import restore


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    parser = commands.add_parser("restore", help="put a backup in the place of the log")
    parser.add_argument("source", type=Path, metavar="FROM.duckdb", help="it stays as it is")
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace, settings: Settings) -> None:
    rows, aside = restore(asked.source, settings.database)
    told = ", ".join(f"{name}: {count:,} rows" for name, count in rows.items())
    print(f"{settings.database}: {settings.database.stat().st_size / 1e6:,.1f} MB\n  {told}")
    if aside:
        print(f"The log that was there is {aside}; delete it once you want nothing of it.")
