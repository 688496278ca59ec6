"""A chunked body is read however it is cut, and refused where its grammar is broken."""

import pytest
from waitress.buffers import OverflowableBuffer

from server.limits.chunks import Chunks

BODY = b'5;a="b"\r\nhello\r\nA \r\n, world...\r\n0\r\nX: y\r\n\r\n'


def read(body, size):
    chunks, taken = Chunks(OverflowableBuffer(10_000)), 0
    while taken < len(body) and not chunks.completed and chunks.error is None:
        taken += chunks.received(body[taken : taken + size])
    return chunks, taken


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_it_is_read_however_it_is_cut(size):
    chunks, taken = read(BODY + b"GET / HTTP/1.1\r\n", size)

    assert chunks.completed
    assert taken == len(BODY)
    assert chunks.getfile().read() == b"hello, world..."
    assert len(chunks) == 15


@pytest.mark.parametrize("size", [1, 1000])
def test_a_long_line_is_refused_before_it_ends(size):
    chunks, taken = read(b"5;" + b"a" * 5_000, size)

    assert chunks.error is not None
    assert taken <= 2_000
