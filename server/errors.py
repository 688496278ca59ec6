"""One shape for every error: problem details (RFC 9457)."""

import json
import logging
import re
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from server.faults import InvalidPayload
from server.kept_answers import KeyRefused
from server.keys import MalformedKey
from server.storage.tasks import LogUnavailable

# Where werkzeug's own text does not help.
_DETAILS = {
    404: "nothing is here; GET / links to what there is",
    405: "this route takes other methods, which Allow names",
    413: "the body is larger than SEXTANT_MAX_BODY_BYTES",
}
# What libraries say that know no MemoryError, and Python where a thread has no room for its stack.
_NO_MEMORY = re.compile("bad_alloc|bad allocation|[Ff]ailed to allocate|can't start new thread")
PROBLEM_TYPE = "application/problem+json"
_logger = logging.getLogger(__name__)


def problem(status: int, detail: str, **members: Any) -> dict[str, Any]:
    """Return the members of a problem; its title is the status' own phrase."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}


def register(app: Flask) -> None:
    """Answer every exception of the app with a problem."""

    @app.errorhandler(InvalidPayload)
    def _(error: InvalidPayload) -> Response:
        errors = [fault._asdict() for fault in error.faults]
        return problem_response(
            error.status, error.detail, **({"errors": errors} if errors else {})
        )

    @app.errorhandler(LogUnavailable)
    def _(error: LogUnavailable) -> Response:
        return _unavailable(error)

    @app.errorhandler(MalformedKey)
    def _(error: MalformedKey) -> Response:
        return problem_response(HTTPStatus.BAD_REQUEST, str(error))

    @app.errorhandler(KeyRefused)
    def _(error: KeyRefused) -> Response:
        response = problem_response(error.status, error.detail)
        if error.status == HTTPStatus.CONFLICT:
            response.headers["Retry-After"] = "1"
        return response

    @app.errorhandler(HTTPException)
    def _(error: HTTPException) -> Response:
        if error.code is None or error.code < 400:  # a redirect is no error
            return error.get_response()  # type: ignore[return-value]  # werkzeug's own response
        detail = error.description or ""
        if error.description == type(error).description:  # nobody said anything of this one
            detail = _DETAILS.get(error.code, detail)
        response = problem_response(error.code, detail)
        for name, value in error.get_headers():
            if name != "Content-Type":
                response.headers.add(name, value)
        return response

    @app.errorhandler(Exception)
    def _(error: Exception) -> Response:
        if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
            _logger.error("a request had too little memory: %s", error)
            return _unavailable(LogUnavailable("there is too little memory"))
        _logger.exception("unexpected", exc_info=error)
        return problem_response(
            HTTPStatus.INTERNAL_SERVER_ERROR, "the server has a fault; it is in its log"
        )


def _unavailable(error: LogUnavailable) -> Response:
    response = problem_response(HTTPStatus.SERVICE_UNAVAILABLE, detail_of(error))
    response.headers["Retry-After"] = "1"
    return response


def detail_of(error: LogUnavailable) -> str:
    """Say what became of a prediction that is not known to be stored."""
    return (
        f"{error}: send the request again; should it be stored already, it is stored twice, "
        "unless both times the same Idempotency-Key named it"
    )


def problem_response(status: int, detail: str, **members: Any) -> Response:
    """Return a problem as an answer."""
    body, content_type = written(problem(status, detail, **members), request.path)
    return Response(body, status, content_type=content_type)


def written(told: dict[str, Any], path: str) -> tuple[str, str]:
    """Return a problem as body and Content-Type, as who asks for `path` reads it."""
    if path == "/v2" or path.startswith("/v2/"):
        # Clients of the Open Inference Protocol read `error`, some of this Content-Type alone.
        return json.dumps({"error": told["detail"], **told}), "application/json"
    return json.dumps(told), PROBLEM_TYPE
