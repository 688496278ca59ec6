"""``python -m server key``: make an API key, and the line that keeps it."""

import argparse
import sys
from typing import Any

from server.access.api_keys import make_key
from server.access.scopes import SCOPES
from server.config import Settings


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    parser = commands.add_parser("key", help="make an API key, and the line that keeps it")
    parser.add_argument("name", help="who is to have it; a second key may bear the same name")
    parser.add_argument("--scopes", required=True, help=f"with commas: {', '.join(SCOPES)}")
    parser.add_argument("--until", default="", metavar="DAY", help="its last day, as 2027-12-31")
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace, _: Settings) -> None:
    scopes = ",".join(each.strip() for each in asked.scopes.split(","))
    key, line = make_key(asked.name, scopes, asked.until)
    # The line is for a file, and the key for a person.
    print(line, flush=True)
    print(
        f"The key of {asked.name}, told this once; the line above holds its sha256 alone:\n  {key}",
        file=sys.stderr,
    )
