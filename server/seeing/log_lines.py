"""How a line of the server's log looks: one JSON object, or text for a person at a terminal."""

import logging
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from pythonjsonlogger.core import LogData
from pythonjsonlogger.json import JsonFormatter


def json_line(fields: dict[str, Any]) -> str:
    """Return the line of one request as JSON; its `time` is in seconds since 1970."""
    fields["time"] = _iso(fields["time"])
    return msgspec.json.encode(fields).decode()


def text_line(fields: dict[str, Any]) -> str:
    """Return the line of one request as text."""
    told = dict(fields)
    start = f"{_iso(told.pop('time'))} {told.pop('level')} {told.pop('logger')}:"
    parts = " ".join(f"{name}={ms:g}" for name, ms in told.pop("parts_ms").items())
    what = f"{told.pop('method')} {told.pop('route')} {told.pop('status')}"
    took = f"{told.pop('duration_ms'):g} ms ({parts})"
    slow = "" if told["message"] == "request" else f" {told['message']}"
    del told["message"]
    return f"{start}{slow} {what} {took} " + " ".join(f"{k}={v}" for k, v in told.items())


class JsonLines(JsonFormatter):
    """Makes a record of Python's logging look like the line of a request."""

    def __init__(self) -> None:
        names = {"levelname": "level", "name": "logger"}
        super().__init__(["levelname", "name", "message"], timestamp="time", rename_fields=names)

    def add_fields(
        self, log_data: LogData, record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Put the time first and in our form."""
        log_data["time"] = None
        super().add_fields(log_data, record, message_dict)
        log_data["time"] = _iso(record.created)


class TextLines(logging.Formatter):
    """Makes a record a line of text, which nobody outside can make two of."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802  # the name and signature of logging
        """Return the time as everywhere else."""
        return _iso(record.created)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name of logging
        """Escape what would begin a line; a traceback keeps its own."""
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        return super().formatMessage(record)


def _iso(seconds: float) -> str:
    whole = int(seconds)
    return f"{_whole_second(whole)}.{int(1e3 * (seconds - whole)):03d}Z"


@lru_cache(maxsize=2)
def _whole_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
