"""A real Prometheus scrapes a real server: alerts fire, and the dashboard's queries answer."""

import json
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from tests.server.conftest import OBJECT, ROOT, SHIPPED

PROMETHEUS = shutil.which("prometheus")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed"),
]
OPS = ROOT / "ops"
STAR = {**OBJECT, "redshift": -8.96e-06}
STRANGE = {"u": 23, "g": 22, "r": 21.4, "i": 21.1, "z": 21, "redshift": None}


def in_seconds(text):
    """Return rules or queries with every span of time cut to what a test can wait for."""
    text = re.sub(r"\bfor: \w+", "for: 1s", text)
    return re.sub(r"\[(\d+[smhd]|\$__rate_interval)\]", "[20s]", text)


class Prometheus:
    """A Prometheus of its own, with our configuration and rules."""

    def __init__(self, folder, target):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        shipped = OPS / "prometheus"
        config = (shipped / "prometheus.yml").read_text().replace("127.0.0.1:8080", target)
        (folder / "prometheus.yml").write_text(config.replace("15s", "500ms"))
        (folder / "alerts.yml").write_text(in_seconds((shipped / "alerts.yml").read_text()))
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [
                PROMETHEUS,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=self.log,
            stderr=self.log,
        )

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def wait_for(self, what, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if found := what():
                    return found
            except OSError:  # it does not listen yet
                pass
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s: {self.ask('alerts')}")

    def firing(self, name):
        return [
            alert
            for alert in self.ask("alerts")["alerts"]
            if alert["labels"]["alertname"] == name and alert["state"] == "firing"
        ]

    def values(self, query):
        """Return what a query answers that is a number."""
        found = self.ask("query", query=query)["result"]
        return [entry for entry in found if entry["value"][1] not in ("NaN", "+Inf")]

    def end(self):
        self.process.kill()
        self.process.communicate()
        self.log.close()


@pytest.fixture
def scraped(start_server, tmp_path):
    """A server, and a Prometheus that has begun to scrape it."""
    server = start_server(tmp_path / "log" / "p.duckdb", model=SHIPPED)
    # Before the first scrape, which lets the monitor count: drift is told from enough rows on.
    server.post("/predict", [STAR] * 3_000)
    folder = tmp_path / "prometheus"
    folder.mkdir()
    prometheus = Prometheus(folder, f"127.0.0.1:{server.port}")
    try:
        prometheus.wait_for(lambda: prometheus.values('up{job="sextant"} == 1'))
        yield server, prometheus
    finally:
        prometheus.end()


def load(server, seconds):
    """Ask for a little of everything; one row in two is strange."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        server.post("/predict", STAR)
        server.post("/predict", [STAR] * 20 + [STRANGE] * 21)
        server.post("/predict", {})
        server.get("/predictions?limit=1")
        server.get("/nowhere")
        time.sleep(0.1)


def test_alerts_fire_and_every_query_of_the_dashboard_answers(scraped):
    server, prometheus = scraped
    load(server, 15)

    (_, *_) = prometheus.wait_for(lambda: prometheus.firing("SextantMonitor"), seconds=100)
    (novelty,) = prometheus.wait_for(lambda: prometheus.firing("SextantNovelty"))
    assert "of the rows are unlike those the model knows" in novelty["annotations"]["summary"]
    load(server, 2)
    silent = [query for query in dashboard_queries() if not prometheus.values(in_seconds(query))]
    assert silent == []
    assert not prometheus.firing("SextantDown")

    server.stop(signal.SIGKILL)

    (down,) = prometheus.wait_for(lambda: prometheus.firing("SextantDown"))
    assert down["annotations"]["summary"] == f"127.0.0.1:{server.port} does not answer"


def dashboard_queries():
    dashboard = json.loads((OPS / "grafana" / "sextant.json").read_text())
    queries = [t["expr"] for panel in dashboard["panels"] for t in panel.get("targets", [])]
    return [query.replace("$instance", ".*") for query in queries]
