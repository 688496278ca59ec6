"""The routes of the document: as JSON for programs, as a page for people."""

from dataclasses import dataclass
from typing import cast

import msgspec
from flask import Blueprint, Flask, Response, current_app, render_template

from server.config import Settings
from server.model import Model
from server.openapi.document import to_document
from server.openapi.vocabulary import Part

blueprint = Blueprint("openapi", __name__)


@dataclass(frozen=True)
class Written:
    """The document as JSON, and its operations: path, method, summary."""

    document: bytes
    operations: list[tuple[str, str, str]]


def register(app: Flask, model: Model, settings: Settings) -> None:
    """Add the routes to `app`; the document is made now, and stays what it is."""
    document = to_document(model, settings)
    written = Written(msgspec.json.encode(document), _operations(document))
    app.extensions["sextant-openapi"] = written
    app.register_blueprint(blueprint)


@blueprint.get("/openapi.json")
def show_document() -> Response:
    """Answer the document."""
    return Response(_written().document, content_type="application/json")


@blueprint.get("/docs")
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
