"""Requests that are no HTTP, or that two programs may read in two ways, written out."""

from dataclasses import dataclass

GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
_LENGTHS = (b"-5", b"+5", b"5.0", b"0x5", b"5 5", b"5, 5", b"five", b"", b"5\x00", b"1" * 5_000)
_ENCODINGS = (
    *(b"chunked, chunked", b"identity", b"identity, chunked", b"chunked, identity", b""),
    *(b"xchunked", b"chunked\x0b", b"\x0bchunked", b'"chunked"', b"gzip, chunked", b",chunked"),
)


@dataclass(frozen=True)
class Case:
    """What is sent, and the statuses that may come back; an empty tuple is a close without one."""

    name: str
    sent: bytes
    statuses: tuple[int, ...]


def _first(name: str, line: bytes, *statuses: int) -> Case:
    return Case(name, line + b"\r\nHost: localhost\r\n\r\n", statuses or (400,))


def _header(name: str, lines: bytes, status: int = 400) -> Case:
    return Case(name, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\n\r\n", (status,))


def _posted(name: str, headers: bytes, body: bytes = b"0\r\n\r\n", *statuses: int) -> Case:
    # What follows would be answered, were the end of the body taken to be elsewhere.
    return Case(name, HEAD + headers + b"\r\n" + body + GET, statuses or (400,))


def _chunked(name: str, body: bytes) -> Case:
    return _posted(name, CHUNKED, body)


CASES = (
    Case("no HTTP", b"GARBAGE\r\n\r\n", (400,)),
    Case("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 100, (400,)),
    Case("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (505,)),
    _first("HTTP/9.9", b"GET / HTTP/9.9", 505),
    _first("HTTP/0.9", b"GET /"),
    _first("half a version", b"GET / HTTP/1"),
    _first("version in small letters", b"GET / http/1.1"),
    _first("method in small letters", b"get / HTTP/1.1"),
    _first("blank before the method", b" GET / HTTP/1.1"),
    _first("LF before the method", b"\nGET / HTTP/1.1"),
    _first("two blanks", b"GET  / HTTP/1.1"),
    _first("blank in the target", b"GET /a b HTTP/1.1"),
    _first("NUL in the target", b"GET /\x00 HTTP/1.1"),
    _first("DEL in the target", b"GET /\x7f HTTP/1.1"),
    _first("CR in the target", b"GET /\r HTTP/1.1"),
    _first("target too long", b"GET /" + b"a" * 300_000 + b" HTTP/1.1", 431),
    _first("half an IPv6 address", b"GET http://[ HTTP/1.1"),
    _first("absolute form", b"GET http://y/health/live HTTP/1.1", 200),
    _first("absolute form without a path", b"GET http://y HTTP/1.1", 200, 308, 401, 404),
    _first("authority form", b"CONNECT y:80 HTTP/1.1", 400, 401, 404, 405),
    _first("asterisk form", b"OPTIONS * HTTP/1.1", 401, 404, 405),
    Case("no Host", b"GET / HTTP/1.1\r\n\r\n", (400,)),
    _header("two Hosts", b"Host: y"),
    Case("LF alone", b"GET / HTTP/1.1\nHost: localhost\n\n", (400,)),
    Case("CR alone", b"GET / HTTP/1.1\rHost: localhost\r\r", ()),
    _header("one LF alone", b"A: b\nC: d"),
    _header("header folded", b"A: b\r\n c"),
    _header("header folded by a tab", b"A: b\r\n\tc"),
    _header("header indented", b" A: b"),
    _header("header without a colon", b"A"),
    _header("header without a name", b": a"),
    _header("blank before the colon", b"A : b"),
    _header("NUL in a header", b"A: \x00"),
    _header("NUL in a name", b"A\x00: b"),
    _header("header too long", b"A: " + b"a" * 300_000, 431),
    Case("header that does not end", HEAD + b"A: " + b"a" * 300_000, (431,)),
    _header("one header many times", b"A:\r\n" * 5_000 + b"A:", 431),
    _header("many headers", b"".join(b"A%d: b\r\n" % number for number in range(101)), 431),
    *(_posted(f"Content-Length {n[:9]!r}", b"Content-Length: " + n + b"\r\n") for n in _LENGTHS),
    _posted("too large", b"Content-Length: 99999999999\r\n", b"", 413),
    _posted("too large, waits", b"Expect: 100-continue\r\nContent-Length: 99999999\r\n", b"", 413),
    _posted("two Content-Lengths", b"Content-Length: 5\r\nContent-Length: 5\r\n"),
    _posted("two that differ", b"Content-Length: 0\r\nContent-Length: 44\r\n"),
    _posted("length and chunks", b"Content-Length: 5\r\n" + CHUNKED),
    _posted("chunks and length", CHUNKED + b"Content-Length: 5\r\n"),
    Case("chunks in HTTP/1.0", b"POST / HTTP/1.0\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + GET, (400,)),
    _posted("chunked twice", CHUNKED + CHUNKED),
    _posted("chunked, folded", b"Transfer-Encoding:\r\n chunked\r\n"),
    *(
        _posted(f"encoding {each!r}", b"Transfer-Encoding: " + each + b"\r\n", b"", 400, 501)
        for each in _ENCODINGS
    ),
    _chunked("size is no number", b"x\r\nabc\r\n0\r\n\r\n"),
    _chunked("size is negative", b"-5\r\nabcde\r\n0\r\n\r\n"),
    _chunked("size with a sign", b"+5\r\nabcde\r\n0\r\n\r\n"),
    _chunked("size with 0x", b"0x5\r\nabcde\r\n0\r\n\r\n"),
    _chunked("size with an underscore", b"0_5\r\nabcde\r\n0\r\n\r\n"),
    _chunked("size beyond 64 bits", b"ffffffffffffffffff\r\nabcde\r\n0\r\n\r\n"),
    _chunked("size ends in LF", b"5\nabcde\r\n0\r\n\r\n"),
    _chunked("size ends in LF CR LF", b"5\n\r\nabcde\r\n0\r\n\r\n"),
    _chunked("chunk without a size", b"\r\nabcde\r\n0\r\n\r\n"),
    _chunked("chunk longer than it says", b"3\r\nabcde\r\n0\r\n\r\n"),
    _chunked("chunk ends in LF", b"5\r\nabcde\n0\r\n\r\n"),
    _chunked("extension without end", b"5;" + b"a" * 10_000),
    _chunked("extension with a NUL", b"5;\x00\r\nabcde\r\n0\r\n\r\n"),
    _chunked("trailer is no header", b"5\r\nabcde\r\n0\r\nx\r\n\r\n"),
    _chunked("trailer without end", b"5\r\nabcde\r\n0\r\n" + b"A: b\r\n" * 5_000),
    _chunked("a byte a chunk", b"1\r\na\r\n" * 40_000),
    Case("body cut short", HEAD + b"Content-Length: 50\r\n\r\n{", ()),
    Case("header cut short", HEAD, ()),
    Case("nothing", b"", ()),
    Case("empty lines", b"\r\n" * 1_000, ()),
)
