"""``python -m server models``: which models there are, which of them answer, and to change it."""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from server.commands.sources import RunningServer, add_url_to, database_or_server
from server.config import InvalidSettings, Settings
from server.contract import InvalidModel
from server.keeping.archive import write_whole
from server.model import Model
from server.versions.checks import check_parity
from server.versions.serving_file import (
    Serving,
    find_references,
    is_serving_file,
    path_of,
    read_serving,
    write_serving,
)
from server.versions.switching import Switching, load


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    parser = commands.add_parser("models", help="which models there are, and which answer")
    add_url_to(parser)
    parser.set_defaults(run=_list)
    verbs = parser.add_subparsers(dest="verb")
    add = verbs.add_parser("add", help="put a model file where it belongs")
    add.add_argument("file", type=Path)
    add.set_defaults(run=_add)
    promote = verbs.add_parser("promote", help="make a model the champion")
    promote.add_argument("model", nargs="?", help="name/version; default: the challenger")
    promote.set_defaults(run=_promote)
    challenge = verbs.add_parser("challenge", help="give a model a share of the callers")
    challenge.add_argument("model", help="name/version")
    challenge.add_argument("--share", type=float, help="of the callers, from 0 to 1")
    challenge.add_argument(
        "--shadow", action="store_true", help="store what it says, and answer as before"
    )
    challenge.set_defaults(run=_challenge)
    verbs.add_parser("withdraw", help="have the champion alone answer").set_defaults(run=_withdraw)
    verbs.add_parser("rollback", help="go back to what was served before").set_defaults(
        run=_roll_back
    )


def _list(_: argparse.Namespace, settings: Settings) -> None:
    path = _file_of(settings)
    serving = read_serving(path)
    roles = {serving.champion: "champion"}
    if serving.previous:
        roles.setdefault(serving.previous.champion, "champion before")
    if serving.challenger:
        asked = "in the shadow for" if serving.shadow else "for"
        roles[serving.challenger] = f"challenger {asked} {serving.share:.4g} of the callers"
    for reference in sorted({*roles, *find_references(path)}):
        print(f"{reference}  {roles.get(reference, '')}".rstrip())


def _add(asked: argparse.Namespace, settings: Settings) -> None:
    path = _file_of(settings)
    model = Model(asked.file)
    check_parity(model.contract)
    reference = f"{model.contract.model_name}/{model.contract.model_version}"
    to = path_of(path, reference)
    if not to.exists():
        with asked.file.open("rb") as content:
            write_whole(content, to)
    elif Model(to).sha256 != model.sha256:
        raise InvalidModel(f"{to}: another file is {reference} already: give this one a version")
    print(f"{to}: {reference}, sha256 {model.sha256}")
    if not path.exists():
        write_serving(path, Serving(reference))
        print(f"{path}: the champion is {reference}")


def _promote(asked: argparse.Namespace, settings: Settings) -> None:
    _change(asked, settings, {"model": asked.model}, lambda it: it.promote(asked.model))


def _challenge(asked: argparse.Namespace, settings: Settings) -> None:
    share = asked.share
    if share is None:
        if not asked.shadow:
            raise InvalidSettings("say which share of the callers it answers: --share 0.1")
        share = 1.0
    body = {"model": asked.model, "share": share, "shadow": asked.shadow}
    _change(
        asked,
        settings,
        body,
        lambda it: it.challenge(asked.model, share=share, is_shadow=asked.shadow),
    )


def _withdraw(asked: argparse.Namespace, settings: Settings) -> None:
    _change(asked, settings, {}, lambda it: it.withdraw())


def _roll_back(asked: argparse.Namespace, settings: Settings) -> None:
    _change(asked, settings, {}, lambda it: it.roll_back())


def _change(
    asked: argparse.Namespace,
    settings: Settings,
    body: dict[str, Any],
    change: Callable[[Switching], Any],
) -> None:
    """Have the running server do it, or where none runs, write it down for the next one."""
    with _server_of(settings, asked.url) as server:
        if server:
            with server.send(f"/models/{asked.verb}", body) as answer:
                told = json.load(answer)
            print(f"{server.name}: the champion is {_named(told['champion'])}{_beside(told)}")
            return
        path = _file_of(settings)
        serving = read_serving(path)
        switching = Switching(path, serving, _models(path, serving), _writing(path))
        change(switching)
        _list(asked, settings)


@contextlib.contextmanager
def _server_of(settings: Settings, url: str | None) -> Iterator[RunningServer | None]:
    if url is None and not settings.database.exists():
        yield None
        return
    if url is not None:
        yield RunningServer(url, "it was named with --url", settings.key)
        return
    # While the database is open here, no server begins.
    with database_or_server(settings, url) as found:
        yield found if isinstance(found, RunningServer) else None


def _models(path: Path, serving: Serving) -> list[Model]:
    try:
        return load(path, serving).models
    except InvalidModel as error:
        print(f"what is served now cannot be compared with: {error}", file=sys.stderr)
        return []


def _writing(path: Path) -> Callable[[Any], None]:
    return lambda loaded: write_serving(path, loaded.serving)


def _named(model: dict[str, str]) -> str:
    return f"{model['name']}/{model['version']}, sha256 {model['sha256']}"


def _beside(told: dict[str, Any]) -> str:
    challenger = told["challenger"]
    if challenger is None:
        return ""
    how = "in the shadow for" if challenger["shadow"] else "for"
    return f"; {_named(challenger)} challenges it {how} {challenger['share']:.4g} of the callers"


def _file_of(settings: Settings) -> Path:
    if not is_serving_file(settings.model):
        raise InvalidSettings(
            f"SEXTANT_MODEL: {settings.model} is one model file; set it to a serving file, which "
            "python -m server models add FILE begins: SEXTANT_MODEL=models/serving.toml"
        )
    return settings.model
