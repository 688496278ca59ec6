"""The routes of the document: as JSON for programs, as a page for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from flask import Blueprint, Flask, Response, current_app, render_template, request

from server.access.scopes import ANY_KEY, needs
from server.config import Settings
from server.model import Model
from server.openapi.document import to_document
from server.openapi.securing import secure
from server.openapi.vocabulary import Part
from server.web import json_response, parts

blueprint = Blueprint("openapi", __name__)


@dataclass(frozen=True)
class Written:
    """The document, its operations (path, method, summary), and the files it tells of."""

    document: Part
    operations: list[tuple[str, str, str]]
    sha256s: list[str]


@dataclass(frozen=True)
class _MadeOf:
    """What a document is made of, beside the models."""

    app: Flask
    settings: Settings
    without_key: frozenset[str]


def register(
    app: Flask, models: Sequence[Model], settings: Settings, without_key: frozenset[str]
) -> None:
    """Add the routes to `app`, which has all others.

    The document is made now, and anew once others are served.
    """
    app.register_blueprint(blueprint)
    made_of = _MadeOf(app, settings, without_key)
    app.extensions["sextant-openapi"] = _write(models, made_of), made_of


@blueprint.get("/openapi.json")
@needs(ANY_KEY)
def show_document() -> Response:
    """Answer the document."""
    # Under a proxy's prefix, where that is.
    servers = [{"url": f"{request.script_root}/"}]
    return json_response({**_written().document, "servers": servers})


@blueprint.get("/docs")
@needs(ANY_KEY)
def show_page() -> str:
    """Show the document: what there is, and where scripts run, all of it, to be tried."""
    return render_template("docs.html", operations=_written().operations)


def _written() -> Written:
    models = parts().lineup.models
    written, made_of = cast(tuple[Written, _MadeOf], current_app.extensions["sextant-openapi"])
    if written.sha256s != [model.sha256 for model in models]:
        written = _write(models, made_of)
        current_app.extensions["sextant-openapi"] = written, made_of
    return written


def _write(models: Sequence[Model], made_of: _MadeOf) -> Written:
    champion, *others = models
    document = to_document(champion, others, made_of.settings)
    secure(document, made_of.app, made_of.without_key)
    return Written(document, _operations(document), [model.sha256 for model in models])


def _operations(document: Part) -> list[tuple[str, str, str]]:
    return [
        (path, method.upper(), operation["summary"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
