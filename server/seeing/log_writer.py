"""Write the server's log from a thread of its own, so that no request waits for its reader."""

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any

from flask import g, has_request_context

from server.seeing.log_lines import JsonLines, TextLines, json_line, text_line

# A line is some 400 bytes; whoever does not read for so long loses lines, and is told how many.
_MAX_WAITING = 10_000
# Lines of so many seconds are written at once.
_GATHERING_S = 0.05
# Longest wait, in seconds, for a reader that has stopped reading.
_LAST_WAIT_S = 1.0


class LogWriter(logging.Handler):
    """Takes records of Python's logging and lines of requests, and writes them in order.

    Parameters
    ----------
    target : int
        The file descriptor to write to. No file object: at its end the interpreter takes the lock
        of one, and dies where a write hangs in it.
    is_json : bool
        Whether a line is a JSON object, or text.
    level : int
        The least level that is written, as logging numbers them.
    """

    def __init__(self, target: int, *, is_json: bool, level: int) -> None:
        super().__init__(level)
        self.setFormatter(JsonLines() if is_json else TextLines())
        self._line: Callable[[dict[str, Any]], str] = json_line if is_json else text_line
        self._target = target
        self._waiting: deque[logging.LogRecord | dict[str, Any]] = deque()
        self._dropped = 0
        self._wake = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record, and note the request it belongs to."""
        if has_request_context() and "request_id" in g:
            record.request_id = g.request_id
        self._take(record)

    def write_request(self, fields: dict[str, Any]) -> None:
        """Take the line of a request."""
        self._take({"time": time.time(), **fields})

    def flush(self) -> None:
        """Do nothing: what is taken is written soon, and `close` waits for it."""

    def close(self) -> None:
        """Write what waits, for a second at most, and take no more."""
        self._is_closing = True
        self._wake.set()
        self._thread.join(_LAST_WAIT_S)
        super().close()

    def _take(self, entry: logging.LogRecord | dict[str, Any]) -> None:
        if len(self._waiting) >= _MAX_WAITING:
            self._dropped += 1
            return
        self._waiting.append(entry)
        if not self._wake.is_set():
            self._wake.set()

    def _run(self) -> None:
        is_open = True
        while is_open:
            self._wake.wait()
            if not self._is_closing:
                time.sleep(_GATHERING_S)
            is_open = not self._is_closing
            self._wake.clear()
            lines = [self._formatted(self._waiting.popleft()) for _ in range(len(self._waiting))]
            if self._dropped:
                lost, self._dropped = self._dropped, 0
                lines.append(self._formatted(_told_of_loss(lost)))
            try:
                self._write("".join(f"{line}\n" for line in lines))
            except OSError:  # nobody reads any more: the server goes on without
                self._dropped += len(lines)

    def _write(self, text: str) -> None:
        rest = text.encode(errors="backslashreplace")
        while rest:
            rest = rest[os.write(self._target, rest) :]

    def _formatted(self, entry: logging.LogRecord | dict[str, Any]) -> str:
        try:
            return self._line(entry) if isinstance(entry, dict) else self.format(entry)
        except Exception as error:  # a record whose parts do not fit must not end the log
            return self.format(_record(logging.ERROR, f"a line cannot be written: {error!r}"))


def _told_of_loss(lines: int) -> logging.LogRecord:
    return _record(logging.WARNING, f"{lines} lines of this log are lost: they were not read")


def _record(level: int, message: str) -> logging.LogRecord:
    return logging.LogRecord(__name__, level, "", 0, message, None, None)


def start_log(log_format: str, log_level: str) -> LogWriter:
    """Send everything that is logged, warned or raised by a thread to standard error."""
    if sys.stderr is None:
        # It was closed before the start: the next file opened, the database, would take its place.
        target, is_terminal = os.open(os.devnull, os.O_WRONLY), False
    else:
        target, is_terminal = sys.stderr.fileno(), sys.stderr.isatty()
    is_json = log_format == "json" or (log_format == "auto" and not is_terminal)
    level = logging.getLevelNamesMapping()[log_level.upper()]
    writer = LogWriter(target, is_json=is_json, level=level)
    logging.basicConfig(handlers=[writer], level=level, force=True)
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_thread
    sys.excepthook = _log_end
    return writer


def _log_thread(ended: threading.ExceptHookArgs) -> None:
    name = ended.thread.name if ended.thread else "unknown"
    if ended.exc_value is not None:
        logging.getLogger("server").error("thread %s ended", name, exc_info=ended.exc_value)


def _log_end(
    _: type[BaseException], error: BaseException, _traceback: TracebackType | None
) -> None:
    logging.getLogger("server").critical("the server ends", exc_info=error)
