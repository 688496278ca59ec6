"""The routes of the prediction log: a page of it, the same as JSON, all of it as a file."""

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from threading import BoundedSemaphore
from typing import Any

from flask import Flask, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest, HTTPException, ServiceUnavailable

from server.access.scopes import needs
from server.browse.addresses import Address
from server.browse.asked import Asked, read_asked
from server.browse.browsing import UnknownCursor, read_page
from server.browse.exporting import to_csv, to_ndjson, to_parquet
from server.browse.filters import InvalidQuery
from server.browse.log_view import to_faulty_view, to_view
from server.browse.selection import Selection
from server.pages.shown import as_json
from server.storage.database import query_folder
from server.storage.fields import Source
from server.storage.snapshots import ReadTooLong, Snapshot
from server.web import blueprint, json_response, parts, wants_html

# Longest time for a page, in seconds; ten million rows take less.
_PAGE_TIMEOUT_S = 15.0
# Pages, and files, at work at once: the other threads are for predictions.
_PAGES, _FILES = BoundedSemaphore(4), BoundedSemaphore(2)
# How long a page waits for its turn, in seconds.
_PATIENCE_S = 5.0
_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


@blueprint.get("/predictions")
@needs("read")
def show_predictions() -> Any:
    """Show the predictions that fit, a page at a time."""
    began = time.perf_counter()
    is_page, address = wants_html(), _address()
    if is_page and not all(text for _, text in address.parameters):
        # A form sends every field; what was left empty says nothing.
        filled = Address(address.path, tuple(each for each in address.parameters if each[1]))
        return redirect(filled.changed({}, keep_page=True))
    with reading_for_page() as snapshot:
        contract = parts().model.contract
        try:
            asked = _asked(snapshot.sources)
            if not is_page:
                return _page_as_json(snapshot, asked, address)
            view = to_view(snapshot, contract, address, asked, began)
            return render_template("predictions.html", **view)
        except (InvalidQuery, UnknownCursor) as error:
            if not is_page:
                raise BadRequest(str(error)) from None
            view = to_faulty_view(snapshot, contract, address, str(error), error.name)
            return render_template("predictions.html", **view), 400


@blueprint.get("/predictions.<any(csv, ndjson, parquet):form>")
@needs("read")
def export_predictions(form: str) -> Response:
    """Send all predictions that fit, however many."""
    at_length = request.args.get("explanations") or "false"
    if at_length not in ("true", "false"):
        raise BadRequest(f"explanations={at_length}: there are true and false")
    with ExitStack() as stack:
        stack.enter_context(_turn(_FILES, 0))
        snapshot = stack.enter_context(_log(None))
        try:
            selection = Selection(snapshot.sources, _asked(snapshot.sources).filter)
        except InvalidQuery as error:
            raise BadRequest(str(error)) from None
        pieces = _pieces(form, snapshot, selection, at_length=at_length == "true")
        # What fails at once, behind the line of names, fails before the answer begins.
        first = list(itertools.islice(pieces, 2))
        body = _Body(itertools.chain(first, pieces), stack.pop_all())
    name = f"predictions-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.{form}"
    response = Response(body, content_type=_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def register(app: Flask) -> None:
    """Answer what the log's readers raise."""

    @app.errorhandler(ReadTooLong)
    def _(error: ReadTooLong) -> HTTPException:
        return ServiceUnavailable(f"{error}: ask for less, as with last=1h", retry_after=10)


class _Body:
    """The body of a download; whoever is done with it, or leaves, closes it."""

    def __init__(self, pieces: Iterator[bytes], stack: ExitStack) -> None:
        self._pieces = pieces
        self._stack = stack

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self._stack.close()


def _pieces(
    form: str, snapshot: Snapshot, selection: Selection, *, at_length: bool
) -> Iterator[bytes]:
    if form == "parquet":
        folder = query_folder(parts().log.path)
        return to_parquet(snapshot.cursor, selection, folder, at_length=at_length)
    write = to_csv if form == "csv" else to_ndjson
    return write(snapshot.cursor, selection, at_length=at_length)


def _page_as_json(snapshot: Snapshot, asked: Asked, address: Address) -> Response:
    selection = Selection(snapshot.sources, asked.filter)
    page = read_page(snapshot.cursor, selection, asked.order, asked.edge, asked.limit)
    following = None
    if page.has_more:
        # Whoever goes back through pages goes on in the direction in which they began.
        is_upper = asked.edge.is_upper if asked.edge else asked.order.is_descending
        is_back = is_upper != asked.order.is_descending
        edge = {"before" if is_upper else "after": str(page.ids[0 if is_back else -1])}
        following = address.changed({"format": "json", "limit": str(asked.limit), **edge})
    return json_response({"predictions": [as_json(row) for row in page.rows], "next": following})


def _asked(sources: list[Source]) -> Asked:
    given = dict(request.args.lists())
    return read_asked(given, sources, datetime.now(UTC).replace(tzinfo=None))


def _address() -> Address:
    return Address(url_for("sextant.show_predictions"), tuple(request.args.items(multi=True)))


@contextmanager
def reading_for_page() -> Iterator[Snapshot]:
    """Yield the log to a page, once its turn has come, for as long as a page may take."""
    with _turn(_PAGES, _PATIENCE_S), _log(_PAGE_TIMEOUT_S) as snapshot:
        yield snapshot


@contextmanager
def _log(timeout_s: float | None) -> Iterator[Snapshot]:
    with parts().log.reading(timeout_s) as snapshot:
        yield snapshot


@contextmanager
def _turn(places: BoundedSemaphore, patience_s: float) -> Iterator[None]:
    if not places.acquire(timeout=patience_s):
        raise ServiceUnavailable("others are reading the log: try again", retry_after=5)
    try:
        yield
    finally:
        places.release()
