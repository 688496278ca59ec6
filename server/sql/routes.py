"""The routes of SQL: a page for people, and the same answers as JSON, CSV, NDJSON and Parquet."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

import msgspec
from flask import Blueprint, Flask, Response, current_app, render_template, request, send_file
from werkzeug.exceptions import BadRequest

from server.access.scopes import needs
from server.config import Settings
from server.errors import problem_response
from server.prediction_log import PredictionLog
from server.sql.chart import draw
from server.sql.guard import SqlRefused
from server.sql.query import PUBLISHED, Limits, Result, SqlBusy, SqlQueries
from server.sql.saved_queries import SavedQueries
from server.storage.database import query_folder
from server.web import json_response

blueprint = Blueprint("sql", __name__)

# What a page shows and what stays one JSON object; downloads have everything.
_PAGE_ROWS = 200
_JSON_ROWS = 10_000
# Characters of one value on the page.
_MAX_SHOWN = 500
_FILES = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True)
class SqlParts:
    """What the routes of SQL call, wired once at start."""

    queries: SqlQueries
    saved: SavedQueries


def register(app: Flask, settings: Settings, log: PredictionLog) -> None:
    """Add the routes to `app`."""
    limits = Limits(rows=settings.query_max_rows, time_s=settings.query_timeout_s)
    queries = SqlQueries(log.cursor, query_folder(settings.database), limits)
    app.extensions["sextant-sql"] = SqlParts(queries, SavedQueries(queries))
    app.register_blueprint(blueprint)


def _parts() -> SqlParts:
    return cast(SqlParts, current_app.extensions["sextant-sql"])


@blueprint.route("/sql.json", methods=["GET", "POST"])
@needs("sql")
def answer_json() -> Response:
    """Answer the rows of a query as one JSON object."""
    statement, given = _asked()
    result = _parts().queries.rows(statement, given, _JSON_ROWS)
    columns = [{"name": column.name, "type": column.kind} for column in result.columns]
    return json_response(
        {
            "columns": columns,
            "rows": [msgspec.Raw(row.encode()) for row in result.rows],  # JSON already
            "truncated": result.truncated,
            "elapsed_ms": round(result.elapsed_ms, 3),
        }
    )


@blueprint.route("/sql.<any(csv, ndjson, parquet):form>", methods=["GET", "POST"])
@needs("sql")
def answer_file(form: str) -> Response:
    """Answer all rows of a query as a file."""
    statement, given = _asked()
    file = _parts().queries.file(statement, given, form)
    response = send_file(file, _FILES[form], as_attachment=True, download_name=f"query.{form}")
    response.content_length = os.fstat(file.fileno()).st_size
    return response


@blueprint.route("/sql", methods=["GET", "POST"])
@needs("sql")
def show_sql() -> tuple[str, int]:
    """Show the editor, and below it what the query in the address answers."""
    statement = request.values.get("q", "")
    result: Result | None = None
    refusal: SqlRefused | None = None
    status = HTTPStatus.OK
    given = _given()
    if statement.strip():
        try:
            result = _parts().queries.rows(statement, given, _PAGE_ROWS)
        except SqlRefused as error:
            refusal, status = error, HTTPStatus(error.status)
        except SqlBusy as error:
            refusal, status = SqlRefused(str(error)), HTTPStatus.SERVICE_UNAVAILABLE
    return _page(statement, given, result, refusal), status


def _page(
    statement: str, given: Mapping[str, str], result: Result | None, refusal: SqlRefused | None
) -> str:
    rows = [json.loads(row) for row in result.rows] if result else []
    return render_template(
        "sql.html",
        statement=statement,
        given=given,
        wanted=sorted({*given, *_parts().queries.parameters(statement)}),
        result=result,
        rows=rows,
        shown=shown,
        chart=draw(result.columns, rows) if result else None,
        refusal=refusal,
        place=place(statement, refusal.position) if refusal else None,
        schemas={view: _parts().queries.schema(view) for view in PUBLISHED},
        saved=_parts().saved.all(),
        downloads=["csv", "ndjson", "parquet", "json"],
        address={"q": statement, **given},
    )


def shown(value: Any) -> str:
    """Return how the page shows a value of JSON's; what is long is cut, the downloads have it."""
    if value is None:
        return "NULL"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}… ({len(text):,} characters)"


def place(statement: str, position: int | None) -> dict[str, Any] | None:
    """Return the line, the column and the text of the line where `position` is, from 1."""
    if position is None:
        return None
    before = statement[:position]
    line = before.count("\n") + 1
    text = statement.split("\n")[line - 1]
    return {"line": line, "column": position - (before.rfind("\n") + 1) + 1, "text": text}


def _asked() -> tuple[str, dict[str, str]]:
    if "q" not in request.values:
        raise BadRequest("q is missing: /sql.json?q=SELECT ...")
    return request.values["q"], _given()


def _given() -> dict[str, str]:
    return {name: value for name, value in request.values.items() if name != "q"}


@blueprint.app_errorhandler(SqlRefused)
def _refused(error: SqlRefused) -> Response:
    where = place(request.values.get("q", ""), error.position)
    told = (
        {"position": error.position, "line": where["line"], "column": where["column"]}
        if where
        else {}
    )
    return problem_response(error.status, error.detail, **told)


@blueprint.app_errorhandler(SqlBusy)
def _busy(error: SqlBusy) -> Response:
    response = problem_response(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    response.headers["Retry-After"] = "1"
    return response
