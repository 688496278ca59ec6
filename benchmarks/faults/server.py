"""A server that is started, broken and started again at one address, on one log."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.running import ROOT, SEXTANT, NotStarted, free_port, launch, wait_until_ready

# An orderly stop takes five seconds at most, and folding the log into its file comes on top.
_END_TIMEOUT_S = 60.0
_ANSWER_TIMEOUT_S = 60.0
MODEL = Path(os.environ.get("SEXTANT_MODEL", ROOT / "models" / "sdss.onnx"))


class Server:
    """One server in one folder; its port stays the same, so its clients find it again.

    Parameters
    ----------
    folder : Path
        Where its log lies, and what it prints.
    settings : mapping
        Environment variables beside those that name address and log.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.database = folder / "predictions.duckdb"
        self.wal = folder / "predictions.duckdb.wal"
        self.port = free_port()
        self.output = folder / f"server-{self.port}.log"
        self.settings = {
            "SEXTANT_MODEL": str(MODEL),
            # One line a request would be most of what is printed.
            "SEXTANT_LOG_LEVEL": "warning",
            **settings,
            "SEXTANT_HOST": "127.0.0.1",
            "SEXTANT_PORT": str(self.port),
            "SEXTANT_DATABASE": str(self.database),
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process that runs, or ran last."""
        assert self.process is not None, "it was never started"  # noqa: S101  # who writes a fault starts it
        return self.process.pid

    def start(self, *, is_awaited: bool = True) -> None:
        """Start it, and unless told otherwise return once it is ready.

        Raises
        ------
        NotStarted
            With its last words.
        """
        self.process = launch(SEXTANT, self.settings, output=self.output)
        if is_awaited:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return once it is ready; NotStarted is raised where it ends instead."""
        assert self.process is not None, "it was never started"  # noqa: S101  # who writes a fault starts it
        ready = f"http://127.0.0.1:{self.port}/health/ready"
        wait_until_ready(self.process, ready, self.output)

    def refuses(self) -> str:
        """Start it where it cannot start; return why it says so, or "" if it does start."""
        try:
            self.start()
        except NotStarted:
            self.kill()
            return self.output.read_text(errors="replace")
        return ""

    def is_ended(self) -> bool:
        """Whether its process is gone."""
        return self.process is not None and self.process.poll() is not None

    def kill(self) -> None:
        """End it without a warning."""
        self.end(signal.SIGKILL)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; return the exit code."""
        assert self.process is not None, "it was never started"  # noqa: S101  # who writes a fault starts it
        self.process.send_signal(how)
        try:
            return self.process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def ask(
        self, path: str, content: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Ask on a connection of its own; return the status, 0 if there is none, and the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_TIMEOUT_S)
        try:
            return ask(connection, path, content, headers)[:2]
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            connection.close()

    def is_ready(self) -> bool:
        """Whether it says that a prediction would be stored now."""
        return self.ask("/health/ready")[0] == 200

    def words(self) -> str:
        """Return what it printed since its last start."""
        return self.output.read_text(errors="replace")


def ask(
    connection: http.client.HTTPConnection,
    path: str,
    content: Any = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any, http.client.HTTPResponse]:
    """Ask once: GET, or POST where there is content; return status, answer read as JSON, response.

    Raises
    ------
    OSError, http.client.HTTPException
        If the connection breaks.
    """
    body = None if content is None else json.dumps(content).encode()
    method, given = ("GET", {}) if body is None else ("POST", {"content-type": "application/json"})
    connection.request(method, path, body, {**given, **(headers or {})})
    response = connection.getresponse()
    text = response.read()
    answer: Any = text.decode(errors="replace")
    with contextlib.suppress(ValueError):
        answer = json.loads(text)
    return response.status, answer, response


def wait_for(condition: Any, timeout_s: float = 30.0, pause_s: float = 0.02) -> bool:
    """Return whether `condition` came true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True
