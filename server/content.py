"""Undo the compression of a body, within bounds, and compress answers."""

import zlib
from http import HTTPStatus

from server.faults import InvalidPayload

# By Content-Encoding, what zlib is told of the frame.
_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
# Shorter answers are not worth compressing; the fastest level takes a third of the next.
_LEAST_BYTES = 1_024
_LEVEL = 1


def decompress(body: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """Return what `body` holds.

    Raises
    ------
    InvalidPayload
        If it is not compressed as `encoding` says, or holds more than `max_bytes`: no more than
        that is ever unpacked.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in _WINDOWS:
        raise InvalidPayload(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Encoding: {encoding}: there are gzip and deflate",
        )
    unpacking = zlib.decompressobj(_WINDOWS[encoding])
    try:
        content = unpacking.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise InvalidPayload(
            HTTPStatus.BAD_REQUEST, f"the body is not {encoding}, as its Content-Encoding says"
        ) from error
    if len(content) > max_bytes:
        raise InvalidPayload(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body holds more than {max_bytes} bytes, which SEXTANT_MAX_BODY_BYTES allows",
        )
    if not unpacking.eof:
        raise InvalidPayload(HTTPStatus.BAD_REQUEST, f"the body breaks off within its {encoding}")
    if unpacking.unused_data:
        raise InvalidPayload(
            HTTPStatus.BAD_REQUEST,
            f"{len(unpacking.unused_data)} bytes stand behind the end of its {encoding}",
        )
    return content


def compress(content: bytes) -> bytes | None:
    """Return `content` as gzip, or None where that is not worth it."""
    if len(content) < _LEAST_BYTES:
        return None
    packing = zlib.compressobj(_LEVEL, wbits=_WINDOWS["gzip"])
    return packing.compress(content) + packing.flush()
