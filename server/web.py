"""What the routes have in common: what they call, and how they answer."""

import re
import uuid
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar, cast

import msgspec
from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from server.kept_answers import KeptAnswers
from server.limits.load import Load
from server.lineup import Lineup
from server.model import Model
from server.prediction_log import PredictionLog
from server.seeing.seeing import Seeing
from server.tables.answering import TableWriter

blueprint = Blueprint("sextant", __name__)

# Where the environment of a request says whom it is counted to.
CALLER = "sextant.caller"
B = TypeVar("B")

REQUEST_ID = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True)
class Parts:
    """What the routes call; a switch of models puts another in its place."""

    lineup: Lineup
    tables: TableWriter
    log: PredictionLog
    kept: KeptAnswers
    is_stopping: Event
    seeing: Seeing
    load: Load

    @property
    def trouble(self) -> str | None:
        """Why a prediction would probably not be answered and stored now, or None."""
        if self.is_stopping.is_set():
            return "the server is stopping"
        return self.load.trouble or self.log.trouble

    @property
    def model(self) -> Model:
        """The champion, which pages and documents are about."""
        return self.lineup.champion.model


def parts() -> Parts:
    """Return what this request calls, to its end, whatever is switched meanwhile."""
    if "parts" not in g:
        g.parts = current_app.extensions["sextant"]
    return cast(Parts, g.parts)


def name_of_request(given: str) -> str:
    """Return the caller's name of a request where it can be used, or a new one."""
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def wants_html() -> bool:
    """Tell whether who asks wants the page, and not the data."""
    wanted = request.args.get("format", "")
    if wanted not in ("", "json", "html"):
        raise BadRequest(f"format={wanted}: there are json and html")
    best = request.accept_mimetypes.best_match(["application/json", "text/html"])
    return (wanted or ("html" if best == "text/html" else "json")) == "html"


def read_body(kind: type[B]) -> B:
    """Return the JSON of the request as `kind`; no form of another site can send JSON."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("send application/json")
    try:
        return msgspec.json.decode(request.get_data(cache=False), type=kind)
    except msgspec.MsgspecError as error:
        raise BadRequest(str(error)) from None


def json_response(content: Any) -> Response:
    """Return `content` as JSON."""
    return Response(msgspec.json.encode(content), content_type="application/json")
