"""Answer the health checks on the loop, so that they are answered when every thread is at work."""

import json
from http import HTTPStatus
from typing import Any

from server.errors import PROBLEM_TYPE, problem
from server.seeing.record import RECEIVED_AT, Record, headers_of
from server.together import Answer
from server.web import Parts, name_of_request

# To the byte as server.routes answers them.
PATHS = frozenset(("/health/live", "/health/ready"))


def health(request: Any, parts: Parts) -> Answer:
    """Return the answer to GET of one of `PATHS`.

    Parameters
    ----------
    request : waitress.parser.HTTPRequestParser
    parts : Parts
    """
    request_id = name_of_request(request.headers.get("X_REQUEST_ID", ""))
    record = Record(
        {
            "REQUEST_METHOD": "GET",
            "HTTP_TRACEPARENT": request.headers.get("TRACEPARENT"),
            RECEIVED_AT: request.received_at,
        }
    )
    what = None if request.path == "/health/live" else parts.trouble
    if what:
        status, content_type = HTTPStatus.SERVICE_UNAVAILABLE, PROBLEM_TYPE
        body = json.dumps(problem(status, what)).encode()
    else:
        status, content_type = HTTPStatus.OK, "application/json"
        body = b'{"status":"live"}' if request.path == "/health/live" else b'{"status":"ready"}'
    headers = [("Content-Type", content_type), ("X-Request-ID", request_id), *headers_of(record)]
    if what:
        headers.append(("Retry-After", "1"))
    record.n_bytes = len(body)
    parts.seeing.finish(record, request.path, status, request_id)
    return Answer(f"{status.value} {status.phrase}", headers, body)
