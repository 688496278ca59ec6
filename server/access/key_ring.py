"""The keys that are good now: those of the settings, and those of a file that may change."""

import hmac
import logging
import stat
import time
from pathlib import Path

from server.access.api_keys import ApiKey, digest_of, read_keys
from server.config import InvalidSettings, Settings

_logger = logging.getLogger(__name__)

# How often the file is looked at, in seconds: so long a key lasts that was taken out of it.
_EVERY_S = 1.0
# Ours have 51 characters. What is longer is not worth its hash, which the loop would wait for.
_MAX_LENGTH = 256


class KeyRing:
    """Finds keys by what was sent; asked from any thread.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    server.config.InvalidSettings
        If a line keeps no key, or the file cannot be read or holds none.
    """

    def __init__(self, settings: Settings) -> None:
        lines = settings.keys.replace(";", "\n").splitlines()
        self._set = read_keys(lines, "SEXTANT_KEYS")
        self._path = Path(settings.keys_file) if settings.keys_file else None
        self._look_at = time.monotonic() + _EVERY_S
        self._seen = self._state()
        self._keys = {**self._set, **self._read()}
        if (settings.keys or settings.keys_file) and not self._keys:
            raise InvalidSettings(
                f"{self._path or 'SEXTANT_KEYS'}: there is no key: make one with "
                "python -m server key NAME --scopes predict,read"
            )

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, sent: str) -> ApiKey | None:
        """Return the key that was sent, whether or not it has expired; None if it is none of ours.

        Its sha256 is looked up, so the time that takes says nothing of a key that is not known.
        """
        if self._path and time.monotonic() >= self._look_at:
            self._look_again()
        if len(sent) > _MAX_LENGTH:
            return None
        digest = digest_of(sent)
        key = self._keys.get(digest)
        return key if key and hmac.compare_digest(key.digest, digest) else None

    def _look_again(self) -> None:
        self._look_at = time.monotonic() + _EVERY_S
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self._keys = {**self._set, **self._read()}
        except InvalidSettings as error:
            _logger.error("%s; the keys that were read before stay", error)
            return
        _logger.info("%s has changed: %d keys are known now", self._path, len(self))

    def _state(self) -> tuple[int, ...] | None:
        """Return what changes with the file; None where there is none."""
        try:
            told = self._path.stat() if self._path else None
        except OSError:
            return None
        return (told.st_mtime_ns, told.st_size, told.st_ino) if told else None

    def _read(self) -> dict[bytes, ApiKey]:
        if self._path is None:
            return {}
        try:
            if self._path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                _logger.warning("%s: others may write to it, and let themselves in", self._path)
            lines = self._path.read_text("utf-8").splitlines()
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8"
            raise InvalidSettings(f"SEXTANT_KEYS_FILE: {self._path}: {reason}") from None
        return read_keys(lines, str(self._path))
