"""A request for one object, as the loop takes it: which these are, and where the answer goes."""

from typing import Any

from server.access.gate import Admitted
from server.seeing.record import RECEIVED_AT, Record
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


class Asked:
    """A request for one object, on the channel that its answer goes to."""

    def __init__(self, channel: Any, admitted: Admitted) -> None:
        self._channel = channel
        self._request = channel.requests[0]
        self.caller: str = channel.caller
        headers = self._request.headers
        self.prefix = admitted.prefix
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
        self._has_left = False

    def answer(self, answer: Answer) -> None:
        """Send the answer."""
        self._leave()
        self._channel.answer(answer)

    def pass_on(self) -> None:
        """Give the request to Flask, on a thread of its own, unless it has left already."""
        if not self._has_left:
            self._has_left = True
            self._channel.server.admission.single_passed_on(self._channel, self.caller)

    def drop(self) -> None:
        """Close the connection, unless the request has left already: nothing true can be said."""
        if not self._has_left:
            self._leave()
            self._channel.handle_close()

    def _leave(self) -> None:
        self._has_left = True
        self._channel.server.admission.single_left(self.caller)
