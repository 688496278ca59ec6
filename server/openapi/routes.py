"""The routes of the document: as JSON for programs, as a page for people."""

from dataclasses import dataclass
from typing import cast

import msgspec
from flask import Blueprint, Flask, Response, current_app, render_template

from server.config import Settings
from server.model import Model
from server.openapi.document import to_document
from server.openapi.page import Page, to_page

blueprint = Blueprint("openapi", __name__)


@dataclass(frozen=True)
class Documented:
    """The document, written and read."""

    json: bytes
    page: Page


def register(app: Flask, model: Model, settings: Settings) -> None:
    """Add the routes to `app`; the document is made now, and stays what it is."""
    document = to_document(model, settings)
    app.extensions["sextant-openapi"] = Documented(msgspec.json.encode(document), to_page(document))
    app.register_blueprint(blueprint)


def _documented() -> Documented:
    return cast(Documented, current_app.extensions["sextant-openapi"])


@blueprint.get("/openapi.json")
def show_document() -> Response:
    """Answer the document."""
    return Response(_documented().json, content_type="application/json")


@blueprint.get("/docs")
def show_docs() -> str:
    """Show the document as a page."""
    return render_template("docs.html", page=_documented().page)
