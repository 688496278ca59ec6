"""Send a server what is no HTTP, and judge what comes back.

The cases that are written out stand in malformed_cases.py; `generated` makes any number of others
of them. Tests send some hundred, ``make faults FAULTS=malformed`` some thousand.
"""

import re
import socket
from collections.abc import Iterator
from random import Random

from benchmarks.malformed_cases import CASES, CHUNKED, GET, HEAD, Case

_ANSWER = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_CLOSE = re.compile(rb"\r\nConnection: close\r\n")
_PIECES = (
    *(b"\r\n", b"\n", b"\r", b"\x00", b" ", b"\t", b":", b"\r\n ", b"\r\n\r\n", b"%00", b"\xff"),
    *(b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", CHUNKED, b"Host: y\r\n", b"chunked"),
    *(
        b"Expect: 100-continue\r\n",
        b"Connection: close\r\n",
        b"HTTP/1.0",
        b"HTTP/9.9",
        b"http://y/",
    ),
    *(
        b"0\r\n\r\n",
        b"ffffffff\r\n",
        b"-5\r\n",
        b"0x5\r\n",
        b"5;a=b",
        b"GET / HTTP/1.1\r\n",
        b"{",
        b",",
    ),
    b"a" * 9_000,
)


def generated(seed: int, count: int) -> Iterator[Case]:
    """Make `count` cases out of those above and one that is right, with pieces put in or cut out.

    Some of them are right still, so that 2xx may come back as well; never a 500.
    """
    chance = Random(seed)  # noqa: S311  # no secrets
    right = HEAD + b"Content-Length: 2\r\n\r\n{}" + GET
    for number in range(count):
        sent = bytearray(chance.choice((right, chance.choice(CASES).sent[:2_000])))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(sent) + 1)
            sent[at : at + chance.choice((0, 0, 1, 4))] = chance.choice(_PIECES)
        yield Case(f"generated {number}", bytes(sent), tuple({*range(200, 500), 501, 505}))


def ask(port: int, sent: bytes, *, timeout_s: float = 20.0) -> bytes:
    """Send bytes to a server of this machine, and return all that comes back until it closes."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        except OSError:  # closed before it had read everything, perhaps with an answer
            pass
        try:
            while piece := connection.recv(65_536):
                came += piece
        except ConnectionResetError:
            pass
    return came


def statuses(came: bytes) -> list[int]:
    """Return the statuses of the answers in `came`, but for 100."""
    return [status for status in map(int, _ANSWER.findall(came)) if status != 100]


def complaint(case: Case, came: bytes) -> str | None:
    """Return what is wrong with the answers to a case, or None.

    Behind an answer that ends the connection nothing may follow: what is left on it may be somebody
    else's.
    """
    found = statuses(came)
    if any(status not in case.statuses for status in found):
        return f"{case.name}: answered {found}"
    if found and came[:5] != b"HTTP/":
        return f"{case.name}: something stands before the answer"
    end = _CLOSE.search(came)
    if end and statuses(came[end.end() :]):
        return f"{case.name}: answered {found}, and went on after the end"
    if case in CASES and len(found) != bool(case.statuses):
        return f"{case.name}: answered {found}, not once"
    return None
