"""Turn the bytes of one input into choices, so that what the fuzzer mutates is a decision."""

from collections.abc import Sequence
from typing import Any


class Choices:
    """Reads decisions off bytes; behind their end each is the first there is."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, most: int) -> int:
        """Return a whole number from 0 to `most`."""
        width = max(1, (most.bit_length() + 7) // 8)
        return int.from_bytes(self.bytes(width)) % (most + 1)

    def one_of(self, values: Sequence[Any]) -> Any:
        """Return one of the values."""
        return values[self.number(len(values) - 1)]

    def is_rare(self) -> bool:
        """Tell whether something should happen that seldom does."""
        return self.number(255) > 235

    def bytes(self, count: int) -> bytes:
        """Return as many bytes as are there, at most `count`."""
        part = self._data[self._at : self._at + count]
        self._at += count
        return part

    def text(self, most: int) -> str:
        """Return a text of at most `most` characters, whatever they are."""
        return self.bytes(self.number(most)).decode("utf-8", "replace")
