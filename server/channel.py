"""What Waitress makes of a connection and its requests, as we have it."""

import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask, WSGITask

from server.access.gate import Admitted
from server.access.headers import with_security
from server.errors import problem, written
from server.seeing.record import RECEIVED_AT, Record
from server.seeing.seeing import REFUSED
from server.together import MAX_BODY_BYTES, Answer
from server.web import name_of_request

# What accepts our JSON without saying anything else.
_JSON = frozenset(("*/*", "application/json", "application/json, */*", "application/json,*/*"))
# What Flask reads, and so changes the answer.
# And what only browsers send, whose pages may be another site's.
_FOR_FLASK = frozenset(
    {"CONTENT_ENCODING", "EXPECT", "IDEMPOTENCY_KEY", "TRANSFER_ENCODING"}
    | {"ORIGIN", "SEC_FETCH_SITE"}
)


def is_for_one(request: Any) -> bool:
    """Tell whether a request asks for a prediction of one object, and for nothing besides.

    Parameters
    ----------
    request : waitress.parser.HTTPRequestParser
    """
    headers = request.headers
    return (
        request.error is None
        and request.path == "/predict"
        and request.command == "POST"
        and not request.query
        and headers.get("CONTENT_TYPE") == "application/json"
        and 0 < request.content_length <= MAX_BODY_BYTES
        and headers.get("ACCEPT", "*/*") in _JSON
        and headers.keys().isdisjoint(_FOR_FLASK)
    )


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # Waitress publishes no types
    """Notes when the whole request has come in: from then on it is we who take time."""

    received_at = 0.0

    def received(self, data: bytes) -> Any:
        taken = super().received(data)
        if self.completed:
            self.received_at = time.perf_counter()
        return taken


class Asked:
    """A request for one object, on the channel that its answer goes to."""

    def __init__(self, channel: Any, admitted: Admitted) -> None:
        self._channel = channel
        self._request = channel.requests[0]
        headers = self._request.headers
        self.caller, self.prefix = admitted.caller.name, admitted.prefix
        self.request_id = name_of_request(headers.get("X_REQUEST_ID", ""))
        self.record = Record(
            {
                "REQUEST_METHOD": "POST",
                "HTTP_TRACEPARENT": headers.get("TRACEPARENT"),
                RECEIVED_AT: self._request.received_at,
            }
        )
        if admitted.caller.has_key:
            self.record.key = self.caller
        stream = self._request.get_body_stream()
        self.body: bytes = stream.read()
        stream.seek(0)

    def answer(self, answer: Answer) -> None:
        """Send the answer."""
        self._request.ready = answer
        self._channel.service()

    def pass_on(self) -> None:
        """Give the request to Flask, on a thread of its own."""
        self._channel.server.task_dispatcher.add_task(self._channel)


class _Task(WSGITask):  # type: ignore[misc]  # Waitress publishes no types
    def execute(self) -> None:
        ready: Answer | None = getattr(self.request, "ready", None)
        if ready is None:
            super().execute()
            return
        self.status = ready.status
        self.response_headers = list(ready.headers)
        self.content_length = len(ready.body)
        # In one piece, and so in one call of the system.
        self.channel.write_soon(self.build_response_header() + ready.body)
        self.wrote_header = True

    def get_environment(self) -> Any:
        environ = super().get_environment()
        environ[RECEIVED_AT] = self.request.received_at
        return environ

    def build_response_header(self) -> Any:
        if self.channel.server.is_stopping.is_set():
            self.set_close_on_finish()
        return with_security(super().build_response_header())


class _ProblemTask(ErrorTask):  # type: ignore[misc]  # Waitress publishes no types
    """Answers what never reaches the app: malformed HTTP, headers or bodies without measure."""

    def execute(self) -> None:
        error = self.request.error
        # What is no HTTP has no path.
        text, content_type = written(
            problem(error.code, error.body), getattr(self.request, "path", "")
        )
        body = text.encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", content_type))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
        method = getattr(self.request, "command", "")
        record = Record({"REQUEST_METHOD": method, RECEIVED_AT: self.request.received_at})
        record.n_bytes = len(body)
        self.channel.server.seeing.finish(record, REFUSED, error.code, None)

    def build_response_header(self) -> Any:
        return with_security(super().build_response_header())


class Channel(HTTPChannel):  # type: ignore[misc]  # Waitress publishes no types
    """A connection, with our parser and tasks."""

    parser_class = _Parser
    task_class = _Task
    error_task_class = _ProblemTask
