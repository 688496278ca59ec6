"""The routes that keep the log: a backup of it while it is written, and removals."""

import json
import os
import threading
from collections.abc import Iterator
from http import HTTPStatus
from uuid import UUID

import duckdb
import msgspec
from flask import Blueprint, Flask, Response, current_app, request, send_file
from werkzeug.exceptions import BadRequest

from server.access.scopes import needs
from server.config import InvalidSettings, Settings
from server.errors import problem_response
from server.keeping.alone import KeepingParts, alone, begin, parts
from server.keeping.copying import CopyFailed, copy_database
from server.keeping.due import Rules, rules_of
from server.keeping.erased_files import Holding, find_files
from server.keeping.erasure import Person, erase
from server.keeping.exporting import NotExported
from server.keeping.retention import Step, prune
from server.prediction_log import PredictionLog
from server.sql.guard import SqlRefused
from server.storage.tasks import LogUnavailable
from server.web import json_response, read_body
from server.web import parts as server_parts

blueprint = Blueprint("keeping", __name__)

# How many rows each table of a backup holds, as JSON.
ROWS_HEADER = "X-Sextant-Rows"


def register(app: Flask, settings: Settings, log: PredictionLog) -> None:
    """Add the routes to `app`."""
    app.extensions["sextant-keeping"] = KeepingParts(log, settings, threading.Lock())
    app.register_blueprint(blueprint)


@blueprint.get("/backup.duckdb")
@needs("admin")
def send_backup() -> Response:
    """Send the whole log, as it was when this was asked, as a database of its own."""
    with alone(), parts().log.cursor() as cursor:
        copied = copy_database(cursor, parts().log.path)
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
@needs("admin")
def prune_log() -> Response:
    """Export and remove what is due; each step is a line as soon as it is done."""
    wanted = read_body(_Pruning)
    try:
        rules = rules_of(parts().settings, wanted.days, wanted.bytes, wanted.without_export)
    except InvalidSettings as error:
        raise BadRequest(str(error)) from None
    begin()
    is_stopping = server_parts().is_stopping.is_set
    steps = prune(parts().log, rules, dry_run=wanted.dry_run, is_stopping=is_stopping)
    response = Response(_lines(steps), content_type="application/x-ndjson")
    response.call_on_close(parts().is_free.release)
    return response


@blueprint.delete("/predictions/<uuid:prediction_id>")
@needs("admin")
def erase_prediction(prediction_id: UUID) -> Response:
    """Erase one prediction, with its labels."""
    return _erase(Person(prediction_id=prediction_id))


@blueprint.delete("/predictions")
@needs("admin")
def erase_predictions() -> Response:
    """Erase all predictions that bear the id of a caller's, with their labels."""
    if set(request.args) != {"id"} or len(request.args.getlist("id")) != 1:
        raise BadRequest("say whose: DELETE /predictions?id=... takes one id, and nothing else")
    return _erase(Person(caller_id=request.args["id"]))


def _erase(person: Person) -> Response:
    log, export_dir = parts().log, Rules.of(parts().settings).export_dir
    files: list[Holding] = []
    with alone():
        erased = erase(log, person)
        if export_dir:
            files = list(find_files(export_dir, person, erased.prediction_ids))
        # Those that are in files only may have labels in the log.
        for each in {each for file in files for each in file.ids} - {*erased.prediction_ids}:
            erase(log, Person(prediction_id=each))
    exports = [{"path": str(each.path), "rows": each.rows} for each in files]
    return json_response(
        {"prediction_ids": erased.prediction_ids, "rows": erased.rows, "exports": exports}
    )


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
