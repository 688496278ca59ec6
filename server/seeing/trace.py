"""The place of a request in a trace of several services (W3C Trace Context, traceparent)."""

import re
import secrets
from typing import NamedTuple

# A later version may add parts behind a dash; version ff is forbidden.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class Trace(NamedTuple):
    """The trace, the caller's span, and the span that is this request."""

    trace_id: str
    parent_id: str
    span_id: str
    flags: str

    @property
    def response(self) -> str:
        """The value of the header `traceresponse`: the same trace, with our span."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def read_traceparent(text: str | None) -> Trace | None:
    """Return the trace that `text` names, or None where it is missing or malformed.

    References
    ----------
    W3C, Trace Context, section 3.2: a header that cannot be read is as if it were not there.
    """
    found = _TRACEPARENT.fullmatch(text) if text else None
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if (version == "00" and more) or not trace_id.strip("0") or not parent_id.strip("0"):
        return None
    # Of the flags, version 00 knows two: sampled, and that the trace id is random.
    return Trace(trace_id, parent_id, secrets.token_hex(8), f"{int(flags, 16) & 3:02x}")
