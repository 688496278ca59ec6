"""Read a body that comes in chunks, in the grammar of RFC 9112, section 7.1, and nothing beside."""

import re
from typing import Any

from waitress.utilities import BadRequest

# A chunk's size with its extensions, or one field of the trailer.
_MOST_LINE = 1024
_MOST_TRAILER = 8 * 1024
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t -~\x80-\xff]*)?")
_FIELD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*")


class Chunks:
    """Collects the body of one request, as Waitress' own receivers do.

    Parameters
    ----------
    buffer : waitress.buffers.OverflowableBuffer

    Attributes
    ----------
    completed : bool
    error : waitress.utilities.Error or None
    """

    def __init__(self, buffer: Any) -> None:
        self.completed = False
        self.error: BadRequest | None = None
        self._buffer = buffer
        self._line = b""
        # Bytes that are missing of the chunk at hand.
        self._left = 0
        self._trailer_bytes = 0
        self._end_line = self._end_size

    def __len__(self) -> int:
        return len(self._buffer)

    def received(self, data: bytes) -> int:
        """Take what belongs to the body, and return how many bytes that were."""
        at = 0
        while at < len(data) and not self.completed and self.error is None:
            if self._left:
                taken = data[at : at + self._left]
                self._buffer.append(taken)
                self._left -= len(taken)
                at += len(taken)
            else:
                at = self._take_line(data, at)
        return at

    def getfile(self) -> Any:
        """Return the body as a file."""
        return self._buffer.getfile()

    def getbuf(self) -> Any:
        """Return the buffer, for Waitress to close."""
        return self._buffer

    def _take_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at) + 1 or len(data)
        self._line += data[at:end]
        if len(self._line) > _MOST_LINE:
            self._refuse("a line of the chunked body is too long")
        elif self._line.endswith(b"\n"):
            line, self._line = self._line, b""
            if line.endswith(b"\r\n"):
                self._end_line(line[:-2])
            else:
                self._refuse("a line of the chunked body ends in LF alone")
        return end

    def _end_size(self, line: bytes) -> None:
        size = _SIZE.fullmatch(line)
        if not size:
            self._refuse("the size of a chunk is no hexadecimal number")
            return
        self._left = int(size[1], 16)
        self._end_line = self._end_chunk if self._left else self._end_field

    def _end_chunk(self, line: bytes) -> None:
        if line:
            self._refuse("a chunk is longer than its size")
        self._end_line = self._end_size

    def _end_field(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if not line:
            self.completed = True
        elif self._trailer_bytes > _MOST_TRAILER or not _FIELD.fullmatch(line):
            self._refuse("the trailer of the chunked body is too long or has no fields")

    def _refuse(self, reason: str) -> None:
        self.error = BadRequest(reason)
