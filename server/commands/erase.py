"""``python -m server erase``: erase predictions by id, and say which exported files hold them."""

import argparse
import json
import urllib.parse
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from server.commands.sources import RunningServer, add_url_to, database_or_server
from server.config import Settings
from server.keeping.erased_files import find_files, rewrite
from server.keeping.erasure import Erased, Person, erase
from server.keeping.logs import StoppedLog


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    parser = commands.add_parser("erase", help="erase predictions, with their labels, by id")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", help="the id that callers gave")
    which.add_argument("--prediction", type=UUID, metavar="UUID", help="one prediction")
    parser.add_argument(
        "--exports", type=Path, metavar="DIR", help="exported files; default: SEXTANT_EXPORT_DIR"
    )
    parser.add_argument(
        "--rewrite-exports", action="store_true", help="write these files anew without them"
    )
    add_url_to(parser)
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace, settings: Settings) -> None:
    person = Person(asked.id, asked.prediction)
    to = asked.exports or settings.export_dir
    with database_or_server(settings, asked.url) as found:
        if isinstance(found, RunningServer):
            ask = partial(_ask, found)
        else:
            ask = partial(erase, StoppedLog(found, settings.database))
        erased = ask(person)
        print(f"{person}: {erased}")
        files = list(find_files(to, person, erased.prediction_ids))
        # Those that are in files only may have labels in the log.
        for each in {each for file in files for each in file.ids} - {*erased.prediction_ids}:
            ask(Person(prediction_id=each))
    for file in files:
        if file.rows is None:
            print(f"{file.path}: cannot be read; it may hold more")
        elif asked.rewrite_exports:
            rewrite(file, person)
            print(f"{file.path}: written anew without {file.rows:,} rows")
        else:
            print(f"{file.path}: holds {file.rows:,} rows")
    print(
        "Backups hold what they held. Until python -m server compact, which wants the server "
        "stopped, bytes of what is erased may stand in the log's file."
    )


def _ask(server: RunningServer, person: Person) -> Erased:
    address = f"{server.name}/predictions/{person.prediction_id}"
    if person.caller_id is not None:
        address = f"{server.name}/predictions?{urllib.parse.urlencode({'id': person.caller_id})}"
    request = urllib.request.Request(address, method="DELETE")  # noqa: S310  # an address of the settings
    with server.answer(request) as answer:
        told = json.load(answer)
    return Erased([UUID(each) for each in told["prediction_ids"]], told["rows"])
