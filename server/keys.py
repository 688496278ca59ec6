"""Read the Idempotency-Key of a request: draft-ietf-httpapi-idempotency-key-header."""

import re
import zlib
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from server.answers import Answer
from server.storage.rows import Stored

# A string of RFC 8941, as the draft has it, or the bare word that most clients send.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r"[!#-+\--:<-\[\]-~]+")
_MAX_LENGTH = 255
# Fast: an answer of one row shrinks to a third within the time of a small query.
_LEVEL = 1


class MalformedKey(Exception):
    """The header holds nothing that names a request."""


@dataclass(frozen=True)
class Key:
    """A key as its request named it, and the sha256 of all that makes the request what it is."""

    text: str
    fingerprint: bytes

    @property
    def digest(self) -> int:
        """64 bits of the key, to find it by."""
        return int.from_bytes(sha256(self.text.encode()).digest()[:8])

    def keep(self, answer: Answer, stored: Stored, request_id: str) -> tuple[Any, ...]:
        """Return the row that is written in one transaction with the predictions."""
        return (
            self.text,
            self.digest,
            self.fingerprint,
            request_id,
            stored.predicted_at,
            answer.content_type,
            answer.location,
            zlib.compress(answer.body, _LEVEL),
        )


def to_key(given: str, *parts: str | bytes) -> Key:
    """Return the key that the header names, of the request that `parts` make what it is.

    Raises
    ------
    MalformedKey
        If it is no key.
    """
    given = given.strip()
    if quoted := _QUOTED.fullmatch(given):
        text = re.sub(r"\\(.)", r"\1", quoted[1])
    else:
        text = given if _BARE.fullmatch(given) else ""
    if not 1 <= len(text) <= _MAX_LENGTH:
        raise MalformedKey(
            f"Idempotency-Key: send one string of 1 to {_MAX_LENGTH} visible ASCII characters, in "
            'quotes or bare, such as "8e03978e-40d5-43dd-bc93-6894a57f9324"'
        )
    fingerprint = sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        # The lengths keep what ends one part from beginning the next.
        fingerprint.update(len(content).to_bytes(8) + content)
    return Key(text, fingerprint.digest())
