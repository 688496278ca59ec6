"""The routes that keep the log: a backup of it while it is written, and removals."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar, cast

import duckdb
import msgspec
from flask import Blueprint, Flask, Response, current_app, request, send_file
from werkzeug.exceptions import BadRequest, Forbidden, ServiceUnavailable, UnsupportedMediaType

from server.config import InvalidSettings, Settings
from server.errors import problem_response
from server.keeping.copying import CopyFailed, copy_database
from server.keeping.due import rules_of
from server.keeping.exporting import NotExported
from server.keeping.retention import Step, prune
from server.prediction_log import PredictionLog
from server.routes import parts as server_parts
from server.sql.guard import SqlRefused
from server.sql.routes import is_loopback
from server.storage.writer import LogUnavailable

blueprint = Blueprint("keeping", __name__)

B = TypeVar("B")

# How many rows each table of a backup holds, as JSON.
ROWS_HEADER = "X-Sextant-Rows"


@dataclass(frozen=True)
class KeepingParts:
    """What the routes of keeping call, wired once at start."""

    log: PredictionLog
    settings: Settings
    # One at a time: each reads or removes much of the log.
    is_free: threading.Lock


def register(app: Flask, settings: Settings, log: PredictionLog) -> None:
    """Add the routes to `app`; they answer only where the server listens on loopback."""
    app.extensions["sextant-keeping"] = KeepingParts(log, settings, threading.Lock())
    app.register_blueprint(blueprint)


def parts() -> KeepingParts:
    """Return what the routes of keeping call."""
    return cast(KeepingParts, current_app.extensions["sextant-keeping"])


@blueprint.before_request
def _only_from_here() -> None:
    if not is_loopback(parts().settings.host):
        raise Forbidden(
            "backups and removals are for loopback only, until there are keys: "
            "set SEXTANT_HOST=127.0.0.1"
        )
    # A name that somebody else's DNS points here would let their page ask.
    if not is_loopback(request.host.rpartition(":")[0] or request.host):
        raise Forbidden(f"ask localhost or 127.0.0.1, not {request.host}")
    # Whatever it wants to show: what is asked here changes the log, or copies it.
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise Forbidden("pages of other sites may not ask this")


@blueprint.get("/backup.duckdb")
def send_backup() -> Response:
    """Send the whole log, as it was when this was asked, as a database of its own."""
    _begin()
    try:
        with parts().log.cursor() as cursor:
            copied = copy_database(cursor, parts().log.path)
    finally:
        parts().is_free.release()
    response = send_file(copied.file, "application/vnd.duckdb", download_name="predictions.duckdb")
    response.content_length = os.fstat(copied.file.fileno()).st_size
    response.headers[ROWS_HEADER] = json.dumps(copied.rows)
    return response


class _Pruning(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /prune."""

    days: float | None = None
    bytes: int | None = None
    dry_run: bool = False
    without_export: bool = False


@blueprint.post("/prune")
def prune_log() -> Response:
    """Export and remove what is due; each step is a line as soon as it is done."""
    wanted = _body(_Pruning)
    try:
        rules = rules_of(parts().settings, wanted.days, wanted.bytes, wanted.without_export)
    except InvalidSettings as error:
        raise BadRequest(str(error)) from None
    _begin()
    is_stopping = server_parts().is_stopping.is_set
    steps = prune(parts().log, rules, dry_run=wanted.dry_run, is_stopping=is_stopping)
    response = Response(_lines(steps), content_type="application/x-ndjson")
    response.call_on_close(parts().is_free.release)
    return response


def _body(kind: type[B]) -> B:
    # JSON, which no form of another site can send.
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("send application/json")
    try:
        return msgspec.json.decode(request.get_data(cache=False), type=kind)
    except msgspec.MsgspecError as error:
        raise BadRequest(str(error)) from None


def _begin() -> None:
    if not parts().is_free.acquire(blocking=False):
        raise ServiceUnavailable("a backup, a removal or an erasure is at work", retry_after=5)


def _lines(steps: Iterator[Step]) -> Iterator[bytes]:
    try:
        for step in steps:
            yield msgspec.json.encode(step) + b"\n"
    except (NotExported, OSError, SqlRefused, LogUnavailable, duckdb.Error) as error:
        yield msgspec.json.encode(Step("refused", str(error))) + b"\n"


@blueprint.app_errorhandler(CopyFailed)
def _no_copy(error: CopyFailed) -> Response:
    return problem_response(HTTPStatus.INSUFFICIENT_STORAGE, str(error))


@blueprint.errorhandler(duckdb.Error)
def _failed(error: duckdb.Error) -> Response:
    current_app.logger.error("keeping the log failed: %s", error)
    return problem_response(
        HTTPStatus.SERVICE_UNAVAILABLE, f"DuckDB cannot do this: {str(error).partition(chr(10))[0]}"
    )
