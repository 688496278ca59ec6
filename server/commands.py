"""The commands beside serving: ``python -m server sql`` and ``python -m server export``."""

import argparse
import json
import os
import shutil
import socket
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from server.config import InvalidSettings, Settings
from server.database import LogUnusable
from server.export import export
from server.sources import SqlSource, source_of
from server.sql_guard import SqlRefused
from server.sql_query import SqlBusy
from server.writer import LogUnavailable

_FORMS = ("table", "csv", "json", "ndjson", "parquet")


def run(arguments: Sequence[str]) -> int:
    """Run one command; return 0, or 1 after saying on stderr why it could not."""
    asked = _parser().parse_args(arguments)
    try:
        settings = Settings.from_environment(os.environ)
        with source_of(settings, asked.url) as source:
            if asked.command == "sql":
                _sql(source, asked.query, dict(asked.values), asked.format)
            else:
                _export(source, asked.to, asked.replica, settings)
    except (InvalidSettings, LogUnusable, LogUnavailable, SqlRefused, SqlBusy, OSError) as error:
        print(_told(error, getattr(asked, "query", "")), file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m server",
        description="Without a command: serve. Settings are SEXTANT_* variables; docs/api.md.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    sql = commands.add_parser("sql", help="ask the log, of a server that runs or is stopped")
    sql.add_argument("query", help="one SELECT, of the view predictions")
    sql.add_argument("values", nargs="*", type=_pair, help="name=value for each $name in it")
    sql.add_argument("--format", choices=_FORMS, default="table")
    out = commands.add_parser("export", help="write closed hours as Parquet, model=/date=/replica=")
    out.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder")
    out.add_argument("--replica", default=socket.gethostname(), help="default: the host's name")
    for command in (sql, out):
        command.add_argument("--url", help="the server that has the log open; default: as set")
    return parser


def _pair(text: str) -> tuple[str, str]:
    name, is_given, value = text.partition("=")
    if not (name and is_given):
        raise argparse.ArgumentTypeError(f"{text!r} is not name=value")
    return name, value


def _sql(source: SqlSource, query: str, given: Mapping[str, str], form: str) -> None:
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


def _export(source: SqlSource, to: Path, replica: str, settings: Settings) -> None:
    files, rows = 0, 0
    for part in export(source, to, replica=replica, commit_timeout_s=settings.commit_timeout_s):
        files, rows = files + 1, rows + part.rows
        print(f"{to / part.path(replica)}: {part.rows:,} rows")
    told = f"files: {files:,}, rows: {rows:,}" if files else "nothing new"
    print(f"{told} from {source.name}; every closed hour is written")


def _told(error: Exception, query: str) -> str:
    position = getattr(error, "position", None)
    if position is None:
        return str(error)
    line = query[:position].count("\n")
    column = position - (query.rfind("\n", 0, position) + 1)
    return f"{error}\n{query.splitlines()[line]}\n{' ' * column}^"
