"""Who may ask to copy the log or remove from it, and that one does so at a time."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from flask import current_app, request
from werkzeug.exceptions import Forbidden, ServiceUnavailable

from server.config import Settings
from server.prediction_log import PredictionLog
from server.sql.routes import is_loopback


@dataclass(frozen=True)
class KeepingParts:
    """What the routes of keeping call, wired once at start."""

    log: PredictionLog
    settings: Settings
    # One at a time: each reads or removes much of the log.
    is_free: threading.Lock


def parts() -> KeepingParts:
    """Return what the routes of keeping call."""
    return cast(KeepingParts, current_app.extensions["sextant-keeping"])


def only_from_here() -> None:
    """Refuse what does not come from this machine, or comes from a page of another site."""
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


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let nothing else copy or remove meanwhile."""
    begin()
    try:
        yield
    finally:
        parts().is_free.release()


def begin() -> None:
    """Let nothing else copy or remove until `is_free` is released."""
    if not parts().is_free.acquire(blocking=False):
        raise ServiceUnavailable("a backup, a removal or an erasure is at work", retry_after=5)
