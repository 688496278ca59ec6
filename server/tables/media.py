"""Tell by the headers of a request what its body is, and what its answer should be."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from werkzeug.datastructures import MIMEAccept

from server.faults import InvalidPayload

JSON = "application/json"
CSV = "text/csv"
NDJSON = "application/x-ndjson"
PARQUET = "application/vnd.apache.parquet"
# Of what has no registered name, the names in use.
_KINDS = {kind: kind for kind in (JSON, CSV, NDJSON, PARQUET)}
_KINDS |= dict.fromkeys(("application/ndjson", "application/jsonl"), NDJSON)
_KINDS |= dict.fromkeys(("application/x-jsonlines", "application/jsonlines"), NDJSON)
_NAMED = ", ".join((JSON, CSV, NDJSON)) + f" and {PARQUET}"


class Formats(NamedTuple):
    """The kind of the body, that of the answer, and the name it was asked for under."""

    body: str
    answer: str
    content_type: str


def find_formats(mimetype: str, options: Mapping[str, str], accept: MIMEAccept) -> Formats:
    """Return what a request is made of, and what it asks for: what it sends, unless it says more.

    Raises
    ------
    InvalidPayload
        415 for a body of another kind, 406 where only other kinds would be taken.
    """
    body = _KINDS.get(mimetype)
    if body is None:
        given = mimetype or "a body without Content-Type"
        raise _unsupported(f"send {_NAMED}, not {given}")
    charset = options.get("charset", "utf-8").lower()
    if body != PARQUET and charset not in ("utf-8", "utf8", "us-ascii"):
        raise _unsupported(f"charset={charset}: send UTF-8")
    if body == CSV and options.get("header", "present").lower() == "absent":
        raise _unsupported("header=absent: the first line must name the columns")
    if not accept:
        return Formats(body, body, body)
    # Where several are as welcome, the first of these.
    chosen = accept.best_match([body, *_KINDS])
    if chosen is None:
        raise InvalidPayload(HTTPStatus.NOT_ACCEPTABLE, f"there are {_NAMED}, not {accept}")
    return Formats(body, _KINDS[chosen], chosen)


def _unsupported(detail: str) -> InvalidPayload:
    return InvalidPayload(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
