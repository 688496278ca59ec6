"""The words that the paths of the document are written in: operations, parameters, answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.openapi.headers import PARAMETERS

Part = dict[str, Any]
Paths = dict[str, dict[str, Part]]

JSON, HTML, PROBLEM = "application/json", "text/html", "application/problem+json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# What any route may answer: 500 is a fault, all others come before it is asked; who asks without a
# key, or from a strange place, learns nothing of the rest.
_ANYWHERE = (400, 401, 403, 408, 413, 429, 431, 500, 501, 503, 505)
# The reasons why a route says no; docs/api.md has them at length.
PROBLEMS = {
    400: "The body is not JSON, a parameter is wrong, or the request is not HTTP",
    401: "A key is wanted, or another than was sent",
    403: "The key may not do this, the page of another site asks, or the `Host` is a strange one",
    404: "Nothing is here",
    405: "The route takes other methods, which `Allow` names",
    406: "The route answers in none of the types that `Accept` asks for",
    408: "The request, or its body, came in too slowly",
    409: "A request with the same `Idempotency-Key` has been at work for long; a switch of models "
    "was refused",
    413: "The body is larger than `SEXTANT_MAX_BODY_BYTES`",
    415: "The body is of a type that the route does not take",
    422: "The values are wrong, each named with its place, or it takes too long or too much",
    429: "More requests or rows than one caller may send: try again",
    431: "The headers are beyond `SEXTANT_MAX_HEADER_BYTES`, or more than 100 lines",
    500: "A fault of the server's own, told in its log",
    501: "The transfer encoding is unknown",
    505: "The request is of another HTTP than 1.0 and 1.1",
    507: "A copy would fill the disk",
    503: "Too much is waiting, or the log cannot be written or read now: try again",
}
_HEADERS = {
    400: ["Server-Timing"],
    401: ["WWW-Authenticate"],
    405: ["Allow"],
    406: ["Server-Timing"],
    409: ["Retry-After", "Server-Timing"],
    413: ["Server-Timing"],
    415: ["Server-Timing"],
    429: ["Retry-After", "RateLimit", "RateLimit-Policy"],
    422: ["Server-Timing"],
    507: [],
    500: ["Server-Timing"],
    503: ["Retry-After", "Server-Timing"],
}


def operation(
    name: str,
    tag: str,
    summary: str,
    answers: Mapping[int, Part],
    problems: Sequence[int] = (),
    *,
    description: str = "",
    parameters: Sequence[Part] = (),
    body: Part | None = None,
    on_page: Sequence[int] = (),
) -> Part:
    """Return an operation: what it answers where all is well, and with which statuses where not.

    The problems of `on_page` are shown by a page to those who asked for one.
    """
    every = {str(status): _with_request_id(answer) for status, answer in answers.items()}
    every |= {str(status): _problem(status, (PROBLEM, HTML)) for status in on_page}
    for status in sorted({*_ANYWHERE, *problems}):
        every.setdefault(str(status), ref("responses", f"Problem{status}"))
    return {
        "operationId": name,
        "tags": [tag],
        "summary": summary,
        **({"description": description} if description else {}),
        "parameters": [*parameters, *(ref("parameters", name) for name in PARAMETERS)],
        **({"requestBody": body} if body else {}),
        "responses": every,
    }


def answer(
    description: str,
    content: Mapping[str, Part],
    *,
    headers: Sequence[str] = (),
    links: Mapping[str, Part] | None = None,
) -> Part:
    """Return an answer: what it is, and by media type what is in it."""
    return {
        "description": description,
        "content": dict(content),
        "headers": {name: ref("headers", name) for name in (*headers, "traceresponse")},
        **({"links": dict(links)} if links else {}),
    }


def page(description: str) -> Part:
    """Return the answer that is a page for people."""
    return answer(description, {HTML: {"schema": {"type": "string"}}})


def file_of(description: str, media_type: str, *, is_binary: bool = False) -> Part:
    """Return the answer that is a file to keep."""
    # Bytes that are no text have a media type and no schema in OpenAPI 3.1.
    content = {} if is_binary else {"schema": {"type": "string"}}
    return answer(description, {media_type: content}, headers=["Content-Disposition"])


def body(description: str, content: Mapping[str, Part], *, required: bool = True) -> Part:
    """Return the body of a request."""
    return {"description": description, "required": required, "content": dict(content)}


def query(name: str, description: str, schema: Part, **members: Any) -> Part:
    """Return a parameter of the address, which may be left out."""
    told = {"name": name, "in": "query", "description": description}
    return {**told, "schema": schema, **members}


def ref(kind: str, name: str) -> Part:
    """Return a reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def schema(name: str) -> Part:
    """Return a reference to a schema."""
    return ref("schemas", name)


def choice(*texts: str) -> Part:
    """Return the schema of one of a few texts."""
    return {"type": "string", "enum": list(texts)}


def problem_answers() -> dict[str, Part]:
    """Return the answers that say no, one a status, as components."""
    return {f"Problem{status}": _problem(status, (PROBLEM,)) for status in PROBLEMS}


def _problem(status: int, media_types: Sequence[str]) -> Part:
    told = {PROBLEM: {"schema": schema("Problem")}, HTML: {"schema": {"type": "string"}}}
    content = {media_type: told[media_type] for media_type in media_types}
    return answer(PROBLEMS[status], content, headers=headers_of_problem(status))


def headers_of_problem(status: int) -> list[str]:
    """Return the headers that an answer of this status may have."""
    return ["X-Request-ID", *_HEADERS.get(status, [])]


def _with_request_id(given: Part) -> Part:
    headers = {"X-Request-ID": ref("headers", "X-Request-ID"), **given.get("headers", {})}
    return {**given, "headers": headers}
