"""API keys: how one is made, and the line that keeps it.

Only the sha256 of a key is kept. A password would want a slow hash, for people choose few of them;
a key is 256 random bits, which nobody goes through, at however many a second.
"""

import hashlib
import math
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from server.access.scopes import read_scopes
from server.config import InvalidSettings

# By this a key is known for one, wherever it has got to.
PREFIX = "sextant_"
_BYTES = 32
# No address looks like this, so that who asks has one name, with a key or without.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_KEY = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LINE = "NAME SCOPES SHA256 [LAST-DAY]"


@dataclass(frozen=True)
class ApiKey:
    """What is kept of a key: who has it, what it may do, and the sha256 of it."""

    name: str
    scopes: frozenset[str]
    digest: bytes
    # Seconds since 1970.
    expires_at: float = math.inf


def digest_of(key: str) -> bytes:
    """Return the sha256 of a key as it was sent."""
    return hashlib.sha256(key.encode()).digest()


def make_key(name: str, scopes: str, until: str = "") -> tuple[str, str]:
    """Return a new key, and the line that keeps it.

    Raises
    ------
    InvalidSettings
        If the name, a scope or the day is none.
    """
    _check_name(name, "the new key")
    key = PREFIX + secrets.token_urlsafe(_BYTES)
    line = f"{name} {scopes} {digest_of(key).hex()} {until}".rstrip()
    _read_line(line, "the new key")
    return key, line


def read_keys(lines: Iterable[str], where: str) -> dict[bytes, ApiKey]:
    """Return the keys of some lines, by their digests; what stands behind a # is a comment.

    Raises
    ------
    InvalidSettings
        If a line keeps no key, or two keep the same; the message names its number, never its text.
    """
    keys: dict[bytes, ApiKey] = {}
    for number, line in enumerate(lines, 1):
        told = line.partition("#")[0].strip()
        if not told:
            continue
        key = _read_line(told, f"{where}, line {number}")
        if key.digest in keys:
            raise InvalidSettings(f"{where}, line {number}: this key stands there twice")
        keys[key.digest] = key
    return keys


def _read_line(line: str, where: str) -> ApiKey:
    # What stands there is not repeated: it may be a key that was pasted by mistake.
    if _KEY.search(line):
        raise InvalidSettings(
            f"{where}: this is the key itself, where its sha256 belongs: make another, "
            "for whoever has read this file knows it"
        )
    fields = line.split()
    if len(fields) not in (3, 4):
        raise InvalidSettings(f"{where}: expected {_LINE}, as python -m server key prints it")
    name, scopes, digest, *until = fields
    _check_name(name, where)
    if not _SHA256.fullmatch(digest):
        raise InvalidSettings(f"{where}: expected the sha256 in 64 digits of 0 to 9 and a to f")
    granted = read_scopes(scopes, where)
    if not granted:
        raise InvalidSettings(f"{where}: expected the scopes, with commas between them")
    return ApiKey(name, granted, bytes.fromhex(digest), _end_of(*until, where=where))


def _check_name(name: str, where: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidSettings(
            f"{where}: a name is a letter and up to 63 letters, digits, - and _ behind it"
        )


def _end_of(day: str = "", *, where: str) -> float:
    """Return the end of the last day that a key is good for, in UTC."""
    if not day:
        return math.inf
    try:
        after = date.fromisoformat(day) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidSettings(f"{where}: the last day is no date such as 2027-12-31") from None
    return datetime.combine(after, time(), UTC).timestamp()
