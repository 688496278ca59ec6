"""Load a server with Locust and hold its log to what it said: ``python -m benchmarks.bench``."""

import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.running import ROOT, SEXTANT, NotStarted, free_port, serving, stop

_LOCUSTFILE = ROOT / "benchmarks" / "locustfile.py"
# How often to see whether the server still runs, in seconds.
_WATCH_INTERVAL_S = 0.2
# What is under way when the time is up is still answered.
_LAST_ANSWERS_S = 5
_COLUMNS = {
    "requests": "Request Count",
    "failures": "Failure Count",
    "requests/s": "Requests/s",
    "p50 ms": "50%",
    "p95 ms": "95%",
    "p99 ms": "99%",
}


@dataclass(frozen=True)
class Audit:
    """What was acknowledged, what is stored, and which of the former is not."""

    acknowledged: int
    stored: int
    lost: list[str]

    def __str__(self) -> str:
        return f"acknowledged {self.acknowledged}, stored {self.stored}, lost {len(self.lost)}"


def main() -> int:
    """Run the load; return 0 if everything was answered in time and nothing is lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=32, help="how many at once (32)")
    parser.add_argument("--seconds", type=int, default=20, help="how long (20)")
    options = parser.parse_args()
    # Whoever ends this program ends the server with it: leaving through the blocks below does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="sextant-bench-") as folder:
        try:
            return bench(Path(folder), users=options.users, seconds=options.seconds)
        except NotStarted as error:
            print(error, file=sys.stderr)
            return 1


def bench(folder: Path, *, users: int, seconds: int) -> int:
    """Start, load, stop, audit; return the exit code."""
    database, acknowledged = folder / "predictions.duckdb", folder / "acknowledged.txt"
    acknowledged.touch()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "SEXTANT_HOST": "127.0.0.1",
        "SEXTANT_PORT": str(port),
        "SEXTANT_DATABASE": str(database),
    }
    output = folder / "server.log"
    with serving(SEXTANT, environment, ready_url=f"{url}/health/ready", output=output) as server:
        print(f"{users} users for {seconds} s at {url}, server process {server.pid}", flush=True)
        command = [sys.executable, "-m", "locust", "-f", str(_LOCUSTFILE), "--host", url]
        command += ["--headless", "--users", str(users), "--spawn-rate", str(users)]
        command += ["--run-time", f"{seconds}s", "--stop-timeout", str(_LAST_ANSWERS_S)]
        command += ["--csv", str(folder / "load"), "--only-summary", "--loglevel", "ERROR"]
        load_code = _load(server, command, acknowledged, folder / "locust.log")
        if server.poll() is None:
            stop(server)
    _print_figures(folder / "load_stats.csv")
    ended = _ending(server.returncode)
    if load_code and not ended:  # what a dead server leaves unanswered tells nothing
        print((folder / "locust.log").read_text(errors="replace"))
    audit = audit_log(acknowledged.read_text().split(), database)
    print(f"the server {ended}" if ended else "the server stopped in order")
    print(audit, flush=True)
    return 1 if load_code or ended or audit.lost or not audit.acknowledged else 0


def audit_log(acknowledged: Iterable[str], database: Path) -> Audit:
    """Compare the ids that were acknowledged with those that are in the database."""
    with duckdb.connect(str(database)) as connection:
        found = connection.execute("SELECT prediction_id::VARCHAR FROM predictions").fetchall()
    stored = {prediction_id for (prediction_id,) in found}
    expected = list(acknowledged)
    return Audit(len(expected), len(found), [each for each in expected if each not in stored])


def _load(
    server: subprocess.Popen[bytes], command: list[str], acknowledged: Path, output: Path
) -> int:
    with output.open("wb") as stream:
        users = subprocess.Popen(
            command,
            env={**os.environ, "SEXTANT_BENCH_ACKNOWLEDGED": str(acknowledged)},
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        while True:
            try:
                return users.wait(_WATCH_INTERVAL_S)
            except subprocess.TimeoutExpired:
                # Without a server there is nothing to load: Locust ends in its own order.
                if server.poll() is not None:
                    users.terminate()
    finally:
        stop(users)


def _ending(code: int) -> str:
    # Says what became of a server that did not stop in order.
    if code < 0:
        return f"was killed during the run, by {signal.Signals(-code).name}"
    return f"ended by itself with {code}" if code else ""


def _print_figures(path: Path) -> None:
    if not path.exists():
        return  # Locust did not even start; its output says why
    print(f"{'':12}", *(f"{name:>11}" for name in _COLUMNS))
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            values = (row[column].partition(".")[0] for column in _COLUMNS.values())
            print(f"{row['Name']:12}", *(f"{value:>11}" for value in values))


if __name__ == "__main__":
    sys.exit(main())
