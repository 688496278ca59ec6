"""A period of time, from the texts of an address to two ends in UTC."""

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LAST = re.compile(r"([0-9]{1,6})([smhdw])")


class InvalidTime(Exception):
    """A text is no time; `name` is its parameter."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(detail)
        self.name, self.detail = name, detail


def to_period(
    begin: str | None, end: str | None, last: str | None, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """Return where a period begins and ends, in UTC without a zone; None is an open end.

    Raises
    ------
    InvalidTime
        If a text is no time, the period is empty, or its begin is given twice.
    """
    since = to_time("from", begin) if begin else None
    until = to_time("to", end) if end else None
    if last:
        if since or until:
            raise InvalidTime("last", "give either last, or from and to")
        return _before(now, last), None
    if since and until and since >= until:
        raise InvalidTime("to", "the period ends before it begins")
    return since, until


def to_time(name: str, text: str) -> datetime:
    """Return the time, in UTC without a zone, that `text` says; `name` is its parameter."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError):
        raise InvalidTime(
            name, "give a time in UTC such as 2026-11-22 or 2026-11-22T13:45"
        ) from None


def _before(now: datetime, text: str) -> datetime:
    found = _LAST.fullmatch(text)
    if not found:
        raise InvalidTime("last", "give a number with s, m, h, d or w, such as 15m or 24h")
    try:
        return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        raise InvalidTime("last", "this is longer ago than the calendar reaches") from None
