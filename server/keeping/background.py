"""Keep the log within its age and size while the server runs."""

import logging
import threading

import duckdb

from server.keeping.alone import KeepingParts
from server.keeping.due import Rules
from server.keeping.exporting import NotExported
from server.keeping.retention import prune
from server.sql.guard import SqlRefused
from server.storage.tasks import LogUnavailable

# Hours close once an hour; this also goes on soon after a fault.
_EVERY_S = 600.0
_logger = logging.getLogger(__name__)


class Retention:
    """The thread that removes what is due, where the settings say so."""

    def __init__(self, parts: KeepingParts, is_stopping: threading.Event) -> None:
        self._parts = parts
        self._is_stopping = is_stopping
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
        if not Rules.of(parts.settings).says_nothing:
            self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Wait until the piece at work is done; `is_stopping` is set before."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            with self._parts.is_free:
                self._prune()
            self._is_stopping.wait(_EVERY_S)

    def _prune(self) -> None:
        parts = self._parts
        try:
            for step in prune(
                parts.log, Rules.of(parts.settings), is_stopping=self._is_stopping.is_set
            ):
                _logger.info("%s", step.told)
        except (NotExported, OSError, SqlRefused, LogUnavailable, duckdb.Error) as error:
            _logger.error("nothing more is removed from the log for now: %s", error)
