"""What a key may do, and what each route asks of a key."""

from collections.abc import Callable
from typing import Any, TypeVar

from server.config import InvalidSettings

V = TypeVar("V", bound=Callable[..., Any])

SCOPES = ("predict", "read", "sql", "labels", "admin")
# What a route asks for instead of one of them: a key whatever it may do, or none.
ANY_KEY = "any key"
OPEN = "open"

_ATTRIBUTE = "sextant_scope"


def needs(scope: str) -> Callable[[V], V]:
    """Declare what a route asks of a key; it stands below what registers the route."""

    def declare(view: V) -> V:
        setattr(view, _ATTRIBUTE, scope)
        return view

    return declare


def scope_of(view: Callable[..., Any]) -> str | None:
    """Return what a route asks of a key; None for one that says nothing, and so is for nobody."""
    scope: str | None = getattr(view, _ATTRIBUTE, None)
    return scope


def read_scopes(text: str, where: str) -> frozenset[str]:
    """Return the scopes of a list with commas.

    Raises
    ------
    InvalidSettings
        If one is unknown; the message names it and `where` it stands.
    """
    scopes = frozenset(each.strip() for each in text.split(",") if each.strip())
    if unknown := sorted(scopes.difference(SCOPES)):
        raise InvalidSettings(f"{where}: {unknown[0]!r} is none of {', '.join(SCOPES)}")
    return scopes
