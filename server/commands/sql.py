"""``python -m server sql``: ask the log, of a server that runs or is stopped."""

import argparse
import json
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

from server.commands.sources import add_url_to, source_of
from server.config import Settings

_FORMS = ("table", "csv", "json", "ndjson", "parquet")


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    parser = commands.add_parser("sql", help="ask the log, of a server that runs or is stopped")
    parser.add_argument("query", help="one SELECT, of the view predictions")
    parser.add_argument("values", nargs="*", type=_pair, help="name=value for each $name in it")
    parser.add_argument("--format", choices=_FORMS, default="table")
    add_url_to(parser)
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace, settings: Settings) -> None:
    query, given, form = asked.query, dict(asked.values), asked.format
    with source_of(settings, asked.url) as source:
        if form in ("csv", "ndjson", "parquet"):
            with source.file(query, given, form) as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        names, rows, is_cut = source.table(query, given)
    if form == "json":
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False))
    else:
        print(_table(names, rows))
    if is_cut:
        print("there are more rows: --format csv has all", file=sys.stderr)


def _pair(text: str) -> tuple[str, str]:
    name, is_given, value = text.partition("=")
    if not (name and is_given):
        raise argparse.ArgumentTypeError(f"{text!r} is not name=value")
    return name, value


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [list(names), *([_shown(value) for value in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    is_number = [any(isinstance(row[k], int | float) for row in rows) for k in range(len(names))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(
            (" " * (width - _width(text)) + text if right else text + " " * (width - _width(text)))
            for text, width, right in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in lines
    )


def _shown(value: Any) -> str:
    if value is None:
        return "NULL"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # What a terminal would obey, or break the table at, is written out.
    return "".join(c if unicodedata.category(c)[0] != "C" else f"\\u{ord(c):04x}" for c in text)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
