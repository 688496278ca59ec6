"""Read HTTP/1.1 more strictly than Waitress does.

What two programs may read in two ways is refused, since behind a proxy the rest of such a request
would be taken for somebody else's (RFC 9112, sections 2.2, 3.2, 5.2, 6.3 and 11.2); so is what
takes the loop long to read and says little.
"""

import re
import time
from collections import OrderedDict
from io import BytesIO
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import FixedStreamReceiver
from waitress.utilities import BadRequest, Error, RequestHeaderFieldsTooLarge

from server.limits.chunks import Chunks

# Browsers send some 20 header lines, proxies add a few.
_MOST_LINES = 100
# What framing may add to a body beyond doubling it: a chunk of one byte costs six on the wire, and
# the loop as much time as one of a thousand.
_MOST_FRAMING = 64 * 1024
# What a request may begin with: a method, or the empty line that some clients send before it.
_BEGINNING = frozenset(
    b"!#$%&'*+-.^_`|~\r0123456789" + bytes(range(65, 91)) + bytes(range(97, 123))
)
# Of a target only what may stand in a URI, and the bytes beyond ASCII that clients leave in it.
_TARGET = re.compile(rb"[!-~\x80-\xff]+")
_ENCODING = re.compile(rb"\r\ntransfer-encoding:[ \t]*([^\r]*)")
# A client sends the same header with each of its requests, but for the length of the body: what was
# read of the last ones is not read again. None of these is longer than this.
_MOST_KNOWN, _MOST_KNOWN_BYTES = 256, 1024
# The longest body that is taken with its header at once.
_MOST_WHOLE_BYTES = 16 * 1024
_known: OrderedDict[bytes, dict[str, Any]] = OrderedDict()


class VersionNotSupported(Error):  # type: ignore[misc]  # Waitress publishes no types
    """The answer to another HTTP."""

    code = 505
    reason = "HTTP Version Not Supported"


class _Whole:
    """The body of a request that came in one piece, as Waitress' receivers give theirs."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def getfile(self) -> BytesIO:
        return BytesIO(self._content)

    def getbuf(self) -> BytesIO:
        return BytesIO()  # to be closed


class Parser(HTTPRequestParser):  # type: ignore[misc]  # Waitress publishes no types
    """Collects one request, and notes when it had come in whole.

    Attributes
    ----------
    received_at : float
        From then on it is we who take time; on time.perf_counter.
    ready : server.together.Answer or None
        The answer, where it is made without a thread.
    """

    received_at = 0.0
    ready = None
    header_bytes_received: int
    headers_finished: bool
    completed: bool

    def received(self, data: bytes) -> Any:
        """Take what came in, and return how many bytes of it belong to this request."""
        if taken := self._take_whole(data):
            return taken
        if not self.header_bytes_received and data[0] not in _BEGINNING:
            self._refuse(BadRequest("this is no HTTP"))
            taken = len(data)
        else:
            taken = super().received(data)
        if not self.completed:
            self._check_unfinished()
        if self.completed:
            # Nothing is missing, or nothing more is wanted: there is nothing to go on with.
            self.expect_continue = False
            self.received_at = time.perf_counter()
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        """Read the header, and refuse what others may read otherwise."""
        known = _known.get(header_plus)
        if known is None:
            self._read_header(header_plus)
            if self.error is None and not self.chunked and len(header_plus) <= _MOST_KNOWN_BYTES:
                _known[header_plus] = self._read()
                if len(_known) > _MOST_KNOWN:
                    _known.popitem(last=False)
            return
        self.__dict__.update(known)
        self.headers = known["headers"].copy()
        if self.content_length:
            buffer = OverflowableBuffer(self.adj.inbuf_overflow)
            self.body_rcv = FixedStreamReceiver(self.content_length, buffer)

    def _take_whole(self, data: bytes) -> int:
        """Take a small request that came in one piece under a known header; 0 for any other."""
        if self.headers_finished or self.header_plus:
            return 0  # this is more of one
        begin = data.find(b"\r\n\r\n") + 4
        known = _known.get(data[:begin])
        most = min(_MOST_WHOLE_BYTES, self.adj.max_request_body_size - 1, len(data) - begin)
        if known is None or known["content_length"] > most:
            return 0
        self.__dict__.update(known)
        self.headers = known["headers"].copy()
        self.header_bytes_received, self.body_bytes_received = begin, self.content_length
        end: int = begin + self.content_length
        self.body_rcv = _Whole(data[begin:end])
        self.headers_finished = self.completed = True
        self.expect_continue = False
        self.received_at = time.perf_counter()
        return end

    def _read(self) -> dict[str, Any]:
        """Return what stands in the header, without what belongs to this request alone."""
        own = ("adj", "body_rcv", "header_bytes_received", "header_plus")
        found = {name: value for name, value in vars(self).items() if name not in own}
        return found | {"headers": self.headers.copy()}

    def _read_header(self, header_plus: bytes) -> None:
        if header_plus.count(b"\r\n") > _MOST_LINES:
            self._refuse(RequestHeaderFieldsTooLarge(f"more than {_MOST_LINES} header lines"))
            return
        if b"\r\n " in header_plus or b"\r\n\t" in header_plus:
            raise ParsingError("a header line goes on in the next")
        if not _TARGET.fullmatch(header_plus[: header_plus.find(b"\r\n")].replace(b" ", b"")):
            raise ParsingError("a character in the first line that no URI has")
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError(f"a number or the target is none: {error}") from None
        self._check_header(header_plus.lower())

    def _check_header(self, lower: bytes) -> None:
        if self.version not in ("1.0", "1.1"):
            if not self.version:
                raise ParsingError("the first line names no version of HTTP")
            self._refuse(VersionNotSupported("this server speaks HTTP/1.1 and 1.0"))
            return
        n_hosts = lower.count(b"\r\nhost:")
        if n_hosts > 1 or (n_hosts == 0 and self.version == "1.1"):
            raise ParsingError("a request has one Host")
        if b"\r\ntransfer-encoding:" not in lower:
            return
        if self.version == "1.0" or b"\r\ncontent-length:" in lower:
            raise ParsingError("Transfer-Encoding stands beside Content-Length, or in HTTP/1.0")
        if _ENCODING.findall(lower) != [b"chunked"]:
            raise ParsingError("the one Transfer-Encoding is chunked, said once")
        self.body_rcv = Chunks(OverflowableBuffer(self.adj.inbuf_overflow))

    def _check_unfinished(self) -> None:
        if self.body_rcv is None:
            if b"\n\n" in self.header_plus:
                self._refuse(BadRequest("header lines end in LF alone"))
        elif self.chunked:
            n_body = len(self.body_rcv)
            if self.body_bytes_received > 2 * n_body + _MOST_FRAMING:
                self._refuse(BadRequest("the chunks are too small for so long a body"))

    def _refuse(self, error: Any) -> None:
        self.error = error
        self.completed = True
