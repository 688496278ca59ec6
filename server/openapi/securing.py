"""What each operation asks of a key, as the routes themselves declare it."""

import re
from uuid import UUID

from flask import Flask

from server.access.scopes import ANY_KEY, OPEN, scope_of
from server.openapi.vocabulary import Part

SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, as programs send it.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "An API key as the password, under any name, as browsers send it.",
    },
}
# Stands for what a route takes in its path, whatever it is.
_ANY = str(UUID(int=0))


def secure(document: Part, app: Flask, without_key: frozenset[str]) -> None:
    """Write into each operation what key it asks for, if it asks for one here.

    Parameters
    ----------
    document : dict
        With all its paths; it is changed.
    app : flask.Flask
        With all its routes.
    without_key : frozenset of str
        The scopes of what needs no key.
    """
    routes = app.url_map.bind("localhost")
    document["components"]["securitySchemes"] = SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            endpoint, _ = routes.match(re.sub(r"\{\w+\}", _ANY, path), method.upper())
            scope = scope_of(app.view_functions[endpoint])
            operation["security"] = _schemes_for(scope, without_key)
            if scope == OPEN:
                for status in ("401", "403"):
                    operation["responses"].pop(status, None)


def _schemes_for(scope: str | None, without_key: frozenset[str]) -> list[Part]:
    if scope == OPEN or scope in without_key or (scope == ANY_KEY and without_key):
        return []
    # What is named here, OpenAPI 3.1 takes for the roles that are needed.
    wanted = [scope] if scope and scope != ANY_KEY else []
    return [{name: wanted} for name in SCHEMES]
