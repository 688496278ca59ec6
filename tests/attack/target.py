"""The server that is attacked: a real one with a key for each scope, asked over real sockets."""

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.running import SEXTANT, free_port, serving
from server.access.api_keys import make_key
from server.access.scopes import SCOPES

OBJECT = {"u": 19.47406, "g": 17.0424, "r": 15.94699, "i": 15.50342, "z": 15.22531}


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers in small letters, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


@dataclass(frozen=True)
class Target:
    """A running server, and what an attacker may have of it."""

    port: int
    folder: Path
    keys: Mapping[str, str]
    keys_file: Path

    @property
    def log(self) -> str:
        """All that the server has printed and logged."""
        return (self.folder / "server.log").read_text(errors="replace")

    def ask(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        key: str | None = None,
        **headers: str,
    ) -> Answer:
        """Ask once, with the key of the scope `key`; underscores in names of headers are dashes."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            given["Authorization"] = f"Bearer {self.keys[key]}"
        body = content
        if content is not None and not isinstance(content, bytes):
            body = json.dumps(content).encode()
            given.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read())
        finally:
            connection.close()

    def send(self, sent: bytes) -> bytes:
        """Send bytes as they are, and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while piece := connection.recv(65536):
                received += piece
        return received


@contextmanager
def attacked(folder: Path, **settings: str) -> Iterator[Target]:
    """Start a server with a key for each scope; it ends with the block."""
    made = {scope: make_key(f"only-{scope}", scope) for scope in SCOPES}
    keys_file = folder / "keys.txt"
    keys_file.write_text("".join(f"{line}\n" for _, line in made.values()))
    port = free_port()
    environment = {
        "SEXTANT_HOST": "127.0.0.1",
        "SEXTANT_PORT": str(port),
        "SEXTANT_DATABASE": str(folder / "predictions.duckdb"),
        "SEXTANT_KEYS_FILE": str(keys_file),
        "SEXTANT_LOG_FORMAT": "json",
        **{f"SEXTANT_{name.upper()}": value for name, value in settings.items()},
    }
    ready = f"http://127.0.0.1:{port}/health/ready"
    with serving(SEXTANT, environment, ready_url=ready, output=folder / "server.log"):
        yield Target(port, folder, {scope: key for scope, (key, _) in made.items()}, keys_file)
