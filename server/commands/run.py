"""The commands beside serving: ``python -m server <command>``, a module each."""

import argparse
import os
import sys
from collections.abc import Sequence

from server.commands import (
    backup,
    compact,
    doctor,
    erase,
    export,
    key,
    models,
    prune,
    replay,
    restore,
    score,
    sql,
)
from server.config import InvalidSettings, Settings
from server.contract import InvalidModel
from server.keeping.copying import CopyFailed
from server.keeping.exporting import NotExported
from server.scoring.part import Refused
from server.scoring.staging import InvalidTable
from server.sql.guard import SqlRefused
from server.sql.query import SqlBusy
from server.storage.database import LogUnusable
from server.storage.tasks import LogUnavailable
from server.versions.switching import SwitchRefused

# Each adds its parser, whose default `run` takes what was asked and the settings.
_COMMANDS = (
    *(sql, export, score, replay, key, models),
    *(backup, restore, prune, erase, compact, doctor),
)


def run(arguments: Sequence[str]) -> int:
    """Run one command; return 0 or its own code, or 1 after saying on stderr why it could not."""
    asked = _parser().parse_args(arguments)
    try:
        code: int | None = asked.run(asked, Settings.from_environment(os.environ))
    except (
        InvalidSettings,
        InvalidModel,
        LogUnusable,
        LogUnavailable,
        SqlRefused,
        SqlBusy,
        CopyFailed,
        NotExported,
        InvalidTable,
        Refused,
        SwitchRefused,
        OSError,
    ) as error:
        print(_told(error, getattr(asked, "query", "")), file=sys.stderr)
        return 1
    return code or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m server",
        description="Without a command: serve. Settings are SEXTANT_* variables; docs/api.md.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    return parser


def _told(error: Exception, query: str) -> str:
    position = getattr(error, "position", None)
    if position is None:
        return str(error)
    line = query[:position].count("\n")
    column = position - (query.rfind("\n", 0, position) + 1)
    return f"{error}\n{query.splitlines()[line]}\n{' ' * column}^"
