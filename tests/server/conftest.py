"""Fixtures of the server's tests: the shipped model, an app, a client, a real process."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from server import listener
from server.app import create_app
from server.config import Settings

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "sdss.onnx"
OBJECT = {"u": 19.47406, "g": 17.0424, "r": 15.94699, "i": 15.50342, "z": 15.22531}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def _environment():
    """Return what the tests were started with, without what is for them and not for the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SEXTANT_")}


class ServerProcess:
    """A real ``python -m server`` on a port of its own."""

    def __init__(self, database, *, prefix=(), environment=None, **settings):
        variables = {f"SEXTANT_{name.upper()}": str(value) for name, value in settings.items()}
        variables |= {"SEXTANT_DATABASE": str(database), "SEXTANT_PORT": "0"}
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "server"],
            cwd=ROOT,
            env={**(_environment() if environment is None else environment), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.greeting = ""
        for line in self.process.stdout:
            self.greeting += line
            if line.startswith("  curl "):
                break
        address = re.search(r"http://\S+:(\d+)", self.greeting)
        assert address, self.process.communicate()[1]
        self.url, self.port = address[0], int(address[1])

    def post(self, path, content, content_type="application/json", timeout=30, headers=()):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {"content-type": content_type, **dict(headers)}
        return self._open(urllib.request.Request(self.url + path, body, headers), timeout)

    def get(self, path, timeout=30):
        return self._open(urllib.request.Request(self.url + path), timeout)

    def stop(self, how=signal.SIGTERM, timeout=20):
        self.process.send_signal(how)
        self.last_words = self.process.communicate(timeout=timeout)
        return self.process.returncode

    @staticmethod
    def _open(request, timeout):
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


class Running:
    """The server's own loop around an app, on a thread of this process."""

    def __init__(self, app, **settings):
        self.app = app
        self.log = app.extensions["sextant"].log
        self.is_stopping = threading.Event()
        listening = listener.bind("127.0.0.1", 0)
        self.port = listening.getsockname()[1]
        given = Settings(model=SHIPPED, stop_timeout_s=2, **settings)
        self.thread = threading.Thread(
            target=listener.run, args=(app, given, listening, self.is_stopping)
        )
        self.thread.start()

    def ask(self, body, path="/predict", content_type="application/json", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            sent = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request("POST", path, sent, {"Content-Type": content_type, **headers})
            answer = connection.getresponse()
            return answer.status, answer.headers, json.loads(answer.read())
        finally:
            connection.close()

    def stop(self):
        self.is_stopping.set()
        self.thread.join(10)


@pytest.fixture
def start_server(tmp_path):
    """Start servers that do not outlive the test."""
    started = []

    def start(database=tmp_path / "predictions.duckdb", **given):
        started.append(ServerProcess(database, **given))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.communicate()


@pytest.fixture(scope="module")
def browser():
    """A real Chromium, one for the tests of a file."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        # No sandbox: it cannot be set up by root, and only our own pages are opened.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def make_app(tmp_path):
    """Make apps whose logs are closed after the test."""
    made = []

    def make(**settings):
        given = {"model": SHIPPED, "database": tmp_path / "predictions.duckdb"} | settings
        made.append(create_app(Settings(**given)))
        return made[-1]

    yield make
    for app in made:
        app.extensions["sextant"].log.close()


@pytest.fixture
def app(make_app):
    return make_app()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture(scope="module")
def filled_with(tmp_path_factory):
    """Make clients of logs that hold some rows, for tests that only read."""
    made = []

    def fill(rows):
        database = tmp_path_factory.mktemp("filled") / "predictions.duckdb"
        made.append(create_app(Settings(model=SHIPPED, database=database)))
        client = made[-1].test_client()
        assert client.post("/predict", json=rows).status_code == 200
        return client

    yield fill
    for app in made:
        app.extensions["sextant"].log.close()


def listed_ids(client, query=""):
    """Return the ids of what fits, oldest first."""
    answer = client.get(f"/predictions?{query}&sort=time")
    assert answer.status_code == 200, answer.json
    return [row["id"] for row in answer.json["predictions"]]
