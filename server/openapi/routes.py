"""The routes of the document: as JSON for programs, as a page for people."""

from dataclasses import dataclass
from typing import cast

from flask import Blueprint, Flask, Response, current_app, render_template, request

from server.access.scopes import ANY_KEY, needs
from server.config import Settings
from server.model import Model
from server.openapi.document import to_document
from server.openapi.securing import secure
from server.openapi.vocabulary import Part
from server.web import json_response

blueprint = Blueprint("openapi", __name__)


@dataclass(frozen=True)
class Written:
    """The document, and its operations: path, method, summary."""

    document: Part
    operations: list[tuple[str, str, str]]


def register(app: Flask, model: Model, settings: Settings, without_key: frozenset[str]) -> None:
    """Add the routes to `app`, which has all others; the document is made now, and stays so."""
    app.register_blueprint(blueprint)
    document = to_document(model, settings)
    secure(document, app, without_key)
    app.extensions["sextant-openapi"] = Written(document, _operations(document))


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
    return cast(Written, current_app.extensions["sextant-openapi"])


def _operations(document: Part) -> list[tuple[str, str, str]]:
    return [
        (path, method.upper(), operation["summary"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
