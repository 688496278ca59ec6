"""The routes of the document: as JSON for programs, as a page for people."""

import msgspec
from flask import Blueprint, Flask, Response, current_app

from server.config import Settings
from server.model import Model
from server.openapi.document import to_document

blueprint = Blueprint("openapi", __name__)


def register(app: Flask, model: Model, settings: Settings) -> None:
    """Add the routes to `app`; the document is made now, and stays what it is."""
    app.extensions["sextant-openapi"] = msgspec.json.encode(to_document(model, settings))
    app.register_blueprint(blueprint)


@blueprint.get("/openapi.json")
def show_document() -> Response:
    """Answer the document."""
    return Response(current_app.extensions["sextant-openapi"], content_type="application/json")
