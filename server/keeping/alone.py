"""Let one request at a time copy the log or remove from it."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from flask import current_app
from werkzeug.exceptions import ServiceUnavailable

from server.config import Settings
from server.prediction_log import PredictionLog


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
