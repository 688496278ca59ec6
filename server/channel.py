"""What Waitress makes of a connection and its requests, as we have it."""

import socket
import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, WSGITask

from server.access.headers import with_security
from server.errors import problem, written
from server.limits.parser import Parser
from server.seeing.record import RECEIVED_AT, Record
from server.seeing.seeing import REFUSED
from server.together import Answer
from server.web import CALLER


class _Task(WSGITask):  # type: ignore[misc]  # Waitress publishes no types
    def execute(self) -> None:
        ready: Answer | None = getattr(self.request, "ready", None)
        if ready is None:
            super().execute()
            return
        self.status = ready.status
        self.response_headers = list(ready.headers)
        self.content_length = len(ready.body)
        body = b"" if self.request.command == "HEAD" else ready.body
        # In one piece, and so in one call of the system.
        self.channel.write_soon(self.build_response_header() + body)
        self.wrote_header = True

    def get_environment(self) -> Any:
        environ = super().get_environment()
        environ[RECEIVED_AT] = self.request.received_at
        environ[CALLER] = self.channel.caller
        return environ

    def build_response_header(self) -> Any:
        if self.channel.server.is_stopping.is_set():
            self.set_close_on_finish()
        self.response_headers += self.channel.server.admission.rate_headers(self.channel.caller)
        return with_security(super().build_response_header())


class _ProblemTask(ErrorTask):  # type: ignore[misc]  # Waitress publishes no types
    """Answers what never reaches the app: malformed HTTP, headers or bodies without measure."""

    def execute(self) -> None:
        error = self.request.error
        self.channel.is_refused = not self.channel.server.is_stopping.is_set()
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
    """A connection, with our parser and tasks.

    Attributes
    ----------
    caller : str
        Whom the request at work is counted to.
    n_sent, n_served : int
        Bytes of answers that the system took, and answers.
    is_paused : bool
        Whether what it asks next is left unread for a moment.
    is_refused, is_lingering : bool
        Whether what came in is no request, and whether that has been said: what still comes is
        read and forgotten for a moment, for a connection that is closed on unread bytes is reset,
        and its client may never read the answer.
    stretch : server.limits.patience.Stretch or None
        What it was doing when it was last looked at.
    """

    parser_class = Parser
    task_class = _Task
    error_task_class = _ProblemTask
    caller = ""
    n_sent = n_served = 0
    is_paused = is_refused = is_lingering = False
    close_when_flushed: bool
    stretch = None

    def readable(self) -> bool:
        """Tell whether what comes in is read now."""
        return not self.is_paused and super().readable()

    def received(self, data: bytes) -> bool:
        """Take what came in."""
        return self.is_lingering or bool(super().received(data))

    def handle_write(self) -> None:
        """Send what waits; the last answer to what is no request is followed by a pause."""
        if not (self.is_refused and self.close_when_flushed) or self.will_close:
            super().handle_write()
            return
        self._flush_exception(self._flush_some)
        if self.total_outbufs_len or self.will_close or not self.connected:
            return
        self.close_when_flushed, self.is_lingering = False, True
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # gone already
            self.handle_close()

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what the system takes, and count it."""
        sent: int = super().send(data, do_close)
        self.n_sent += sent
        return sent

    def service(self) -> None:
        """Answer the first request."""
        self.n_served += 1
        super().service()

    def serve(self) -> None:
        """Answer the request on the loop, which is the thread that calls this."""
        self.service()
        self.server.sockets.attend(self)

    def answer(self, answer: Answer) -> None:
        """Answer the request on the loop, with what is ready."""
        if self._is_plain():
            self._send(answer)
            self.server.sockets.attend(self)
        else:
            self.requests[0].ready = answer
            self.serve()

    def _is_plain(self) -> bool:
        """Tell whether nothing is special about the one request, and nothing waits before it."""
        request = self.requests[0]
        return (
            request.version == "1.1"
            and not request.connection_close
            and request.command != "HEAD"
            and self.connected
            and not (len(self.requests) > 1 or self.request or self.total_outbufs_len)
            and not self.server.is_stopping.is_set()
        )

    def _send(self, answer: Answer) -> None:
        """Send what `_Task` would, at a third of its cost."""
        self.n_served += 1
        headers = [
            *answer.headers,
            *self.server.admission.rate_headers(self.caller),
            ("Content-Length", str(len(answer.body))),
            ("Date", self.server.clock.date),
            ("Server", self.server.adj.ident),
        ]
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        head = with_security(f"HTTP/1.1 {answer.status}\r\n{lines}\r\n".encode("latin-1"))
        content = head + answer.body
        try:
            sent = self.send(content, do_close=False)
        except OSError:  # the client is gone
            self.will_close = True
        else:
            self.write_soon(content[sent:])
        self.requests.pop().close()
        self.last_activity = time.time()
