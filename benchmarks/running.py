"""Start a server of one's own, wait until it is ready, and stop it whatever happens."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# Loading takes a second; a machine that is busy may need several.
_START_TIMEOUT_S = 30.0
# The server promises to stop within five seconds.
_STOP_TIMEOUT_S = 15.0

SEXTANT = (sys.executable, "-m", "server")
ROOT = Path(__file__).resolve().parent.parent


def commit() -> str:
    """Return the commit that is measured, with -dirty where files differ from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607  # whichever git is used here
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return said or "unknown"


class NotStarted(Exception):
    """The server ended, or did not answer, before it was ready; the message has its last words."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def serving(
    command: Sequence[str], environment: Mapping[str, str], *, ready_url: str, output: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` until the block ends; what it prints goes to `output`.

    Raises
    ------
    NotStarted
        If `ready_url` does not answer 200 in time.
    """
    process = launch(command, environment, output=output)
    try:
        wait_until_ready(process, ready_url, output)
        yield process
    finally:
        stop(process)


def launch(
    command: Sequence[str], environment: Mapping[str, str], *, output: Path
) -> subprocess.Popen[bytes]:
    """Start `command` without waiting for it; what it prints goes to `output`."""
    with output.open("wb") as stream:
        return subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=ROOT,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, and make it end if it does not."""
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], url: str, output: Path) -> None:
    """Return once `url` answers 200.

    Raises
    ------
    NotStarted
        If it does not in time, or the process ends.
    """
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotStarted(f"no answer from {url}:\n{output.read_text(errors='replace')}")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=2)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
