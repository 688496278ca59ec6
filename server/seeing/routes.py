"""Note each request as Flask takes and answers it, and tell the counts at /metrics."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from flask import Flask, Response, g, request
from prometheus_client.exposition import choose_encoder

from server.access.scopes import needs
from server.seeing.record import Record, headers_of
from server.seeing.seeing import UNMATCHED, Seeing


def register(app: Flask, seeing: Seeing) -> None:
    """Watch every request of the app; to be called before anything else looks at a request."""

    @app.before_request
    def _() -> None:
        g.record = Record(request.environ)

    @app.after_request
    def _(response: Response) -> Response:
        record: Record = g.record
        response.headers.extend(headers_of(record))
        route = request.url_rule.rule if request.url_rule else UNMATCHED
        status, request_id = response.status_code, g.get("request_id")
        _when_complete(response, record, partial(seeing.finish, record, route, status, request_id))
        return response

    @app.get("/metrics")
    @needs("read")
    def metrics() -> Response:
        """Tell what was counted, in Prometheus' text or as OpenMetrics, as is asked for."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(seeing.registry), content_type=content_type)


def _when_complete(response: Response, record: Record, finish: Callable[[], None]) -> None:
    """Note how long the answer is, and call `finish` when all of it is there."""
    has_body = request.method != "HEAD" and response.status_code not in (204, 304)
    if not response.is_streamed:
        record.n_bytes = (response.calculate_content_length() or 0) * has_body
        finish()
        return
    if response.direct_passthrough:
        # A file, which Waitress takes as it is: nobody is told when it has been sent.
        record.n_bytes = (response.content_length or 0) * has_body
        finish()
        return
    if hasattr(response.response, "close"):
        response.call_on_close(response.response.close)
    if has_body:
        record.is_broken_off = True
        response.response = _counted(response.iter_encoded(), record)
    response.call_on_close(finish)


def _counted(chunks: Iterable[bytes], record: Record) -> Iterator[bytes]:
    """Pass an answer on while it is written, and note whether it came to its end."""
    for chunk in chunks:
        record.n_bytes += len(chunk)
        yield chunk
    record.is_broken_off = False
