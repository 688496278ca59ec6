"""The headers of answers, and those that any request may bear."""

from typing import Any

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "The name of the request in the log; "
        "not on what is refused before the app sees it.",
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Where it is found from now on.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {
        "description": "When to try again, in seconds.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit": {
        "description": "What the caller has left of each limit, and in how many seconds more "
        "comes (draft-ietf-httpapi-ratelimit-headers-10); on every answer where there are limits.",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "The limits: how much (q) in how many seconds (w).",
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "The answer is the one that the first request with this key got.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Inference-Header-Content-Length": {
        "description": "How many bytes are JSON; the tensors' bytes stand behind them.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Server-Timing": {
        "description": "Where the time went, in milliseconds, of a request that predicts.",
        "schema": {"type": "string"},
    },
    "traceresponse": {
        "description": "Where the request is in the trace, if `traceparent` named one.",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "How a key is sent: by Basic, as the password, or by Bearer.",
        "schema": {"type": "string"},
    },
    "Allow": {"description": "The methods that are taken.", "schema": {"type": "string"}},
    "Content-Disposition": {
        "description": "The name for the file.",
        "schema": {"type": "string"},
    },
}
# What any request may bear.
PARAMETERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "name": "X-Request-ID",
        "in": "header",
        "description": "The caller's name for the request, up to 128 visible ASCII characters; "
        "without one, or with another, the server makes one.",
        "schema": {"type": "string"},
    },
    "traceparent": {
        "name": "traceparent",
        "in": "header",
        "description": "The trace that the request is part of (W3C); one that is none is ignored.",
        "schema": {"type": "string"},
    },
}
