"""``python -m server backup``: copy the log, of a server that runs or is stopped, and check it."""

import argparse
import contextlib
import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from server.commands.sources import RunningServer, add_url_to, database_or_server
from server.config import Settings
from server.keeping.archive import sync_folder
from server.keeping.copying import CopyFailed, check_copy, copy_database
from server.keeping.routes import ROWS_HEADER


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    parser = commands.add_parser("backup", help="copy the log into a new database, and check it")
    parser.add_argument("to", type=Path, metavar="TO.duckdb", help="a name that is free")
    add_url_to(parser)
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace, settings: Settings) -> None:
    rows = back_up(settings, asked.to, asked.url)
    told = ", ".join(f"{name}: {count:,} rows" for name, count in rows.items())
    print(f"{asked.to}: {asked.to.stat().st_size / 1e6:,.1f} MB, read back whole\n  {told}")


def back_up(settings: Settings, to: Path, url: str | None) -> dict[str, int]:
    """Write the log to `to`, which appears whole and checked or not at all; return its rows.

    Raises
    ------
    CopyFailed
        If the name is taken, there is no room, or the copy is not what it should be.
    """
    if to.exists():
        raise CopyFailed(f"{to}: there is something already; a backup overwrites nothing")
    to.parent.mkdir(parents=True, exist_ok=True)
    growing = to.with_name(f".{to.name}.part")
    try:
        with _copy(settings, url) as (content, rows), growing.open("wb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        check_copy(growing, rows)
        growing.rename(to)
        sync_folder(to.parent)
    finally:
        growing.unlink(missing_ok=True)
    return rows


@contextlib.contextmanager
def _copy(settings: Settings, url: str | None) -> Iterator[tuple[IO[bytes], dict[str, int]]]:
    with database_or_server(settings, url) as found:
        if isinstance(found, RunningServer):
            request = urllib.request.Request(f"{found.name}/backup.duckdb")  # noqa: S310  # an address of the settings
            with found.answer(request) as answer:
                yield answer, json.loads(answer.headers[ROWS_HEADER])
            return
        with found.cursor() as cursor:
            copied = copy_database(cursor, settings.database)
        with copied.file:
            yield copied.file, copied.rows
