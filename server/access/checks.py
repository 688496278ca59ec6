"""Ask the gate about every request that Flask answers, and tell other origins what they may."""

from http import HTTPStatus
from typing import Any, cast

from flask import Flask, Response, current_app, g, request

from server.access.gate import Caller, Gate, key_in, may
from server.access.proxies import Behind
from server.access.scopes import ANY_KEY, OPEN, needs, scope_of
from server.access.sites import Denied
from server.errors import problem_response

# What a page of another origin may send, beside what any page may.
_SENT = "Authorization, Content-Type, Idempotency-Key, X-Request-ID, traceparent"
# How long a browser may remember what it was told, in seconds.
_MAX_AGE = "600"
# Browsers send the key as a password, programs as it is.
_CHALLENGES = ('Basic realm="Sextant", charset="UTF-8"', 'Bearer realm="Sextant"')

# The line that a command on a page has more where a key is wanted.
_KEY_LINE = '  -H "authorization: Bearer $SEXTANT_KEY" \\\n'


def register(app: Flask, gate: Gate) -> None:
    """Let the gate look at each request first, once it has a name."""
    app.extensions["sextant-gate"] = gate
    app.view_functions["static"] = needs(OPEN)(app.view_functions["static"])
    app.wsgi_app = Behind(app.wsgi_app, gate.proxies)  # type: ignore[method-assign]  # as Flask says to do
    app.before_request(_check)
    app.after_request(_tell_origin)
    app.context_processor(lambda: {"may": _may, "key_line": _KEY_LINE * g.who.has_key})
    app.register_error_handler(Denied, _denied)


def _gate() -> Gate:
    return cast(Gate, current_app.extensions["sextant-gate"])


def _check() -> Response | None:
    gate = _gate()
    sent = key_in(request.headers.get("Authorization"))
    g.who = gate.caller(request.remote_addr or "", sent)
    # The name alone, for what counts or limits.
    g.caller = g.who.name
    if g.who.has_key:
        g.record.key = g.who.name
    scope = _scope_of(request.endpoint)
    if scope == OPEN:
        return None
    host = request.headers.get("Host", "")
    gate.sites.check(request.method, request.headers.get, host, scope or "")
    if _is_preflight():
        return Response(status=HTTPStatus.NO_CONTENT)
    gate.check(g.who, scope)
    return None


def _scope_of(endpoint: str | None) -> str | None:
    # Whoever asks for what is not there learns that, if they may ask for anything.
    return scope_of(current_app.view_functions[endpoint]) if endpoint else ANY_KEY


def _may(endpoint: str) -> bool:
    """Tell a page whether who asks for it may ask for another."""
    who: Caller = g.who
    return may(who, _scope_of(endpoint))


def _is_preflight() -> bool:
    asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    return asks and request.headers.get("Origin") in _gate().sites.origins


def _tell_origin(response: Response) -> Response:
    response.headers.extend(_gate().sites.headers_for(request.headers.get("Origin")))
    if _is_preflight():
        response.headers["Access-Control-Allow-Methods"] = "DELETE, GET, HEAD, POST"
        response.headers["Access-Control-Allow-Headers"] = _SENT
        response.headers["Access-Control-Max-Age"] = _MAX_AGE
    return response


def _denied(error: Denied) -> Any:
    response = problem_response(error.status, error.detail)
    if error.status == HTTPStatus.UNAUTHORIZED:
        for challenge in _CHALLENGES:
            response.headers.add("WWW-Authenticate", challenge)
    return response
