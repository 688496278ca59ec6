"""What keeping costs those who predict: a backup and a removal while eight clients post.

Run it as ``python -m benchmarks.keeping --rows 1000000``: it makes a log of 30 days, as big_log
does, exports it, then copies it and removes half of it while predictions are stored.
"""

import argparse
import json
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from random import Random

from benchmarks.big_log import get_json, make_log, open_url, served
from benchmarks.instances import InstanceMaker
from benchmarks.running import SEXTANT

CLIENTS = 8
# Before and after each step, in seconds.
QUIET_S = 8.0


class Clients:
    """Clients that post one object after the other, and know when each answer began and took."""

    def __init__(self, url: str) -> None:
        maker = InstanceMaker(get_json(f"{url}/model"), Random(0))  # noqa: S311  # no secrets
        self._body = json.dumps(maker.make(missing_share=0.1)).encode()
        self._url = url
        self._is_over = threading.Event()
        self._times: list[tuple[float, float]] = []
        self._threads = [threading.Thread(target=self._post) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each finish what it asked."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def told(self, what: str, since: float, until: float) -> str:
        """Return a line of a table: how many answers began between two times, and how long."""
        took = sorted(1e3 * each for began, each in self._times if since <= began < until)
        p50, p99, most = (took[int((len(took) - 1) * share)] for share in (0.5, 0.99, 1))
        return (
            f"| {what} | {until - since:.1f} | {len(took)} | {p50:.0f} | {p99:.0f} | {most:.0f} |"
        )

    def _post(self) -> None:
        while not self._is_over.is_set():
            began = time.perf_counter()
            open_url(f"{self._url}/predict", self._body, "application/json").read()
            self._times.append((began, time.perf_counter() - began))


def main() -> None:
    """Make the log, keep it, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "predictions.duckdb"
        os.environ |= {"SEXTANT_EXPORT_DIR": str(folder / "out"), "SEXTANT_DATABASE": str(database)}
        make_log(database, options.rows)
        with served(database) as (url, _):
            _run("export", "--to", str(folder / "out"), "--url", url)
            clients = Clients(url)
            try:
                lines = [
                    *_timed(clients, "backup", str(folder / "backup.duckdb"), "--url", url),
                    *_timed(clients, "prune", "--days", "15", "--url", url),
                ]
            finally:
                clients.stop()
        _run("compact")
    print("| | s | answers | p50 ms | p99 ms | worst ms |\n|---|---|---|---|---|---|")
    print("\n".join(lines))


def _timed(clients: Clients, *command: str) -> list[str]:
    began = time.perf_counter()
    time.sleep(QUIET_S)
    at_work = time.perf_counter()
    _run(*command)
    done = time.perf_counter()
    return [
        clients.told(f"before {command[0]}", began, at_work),
        clients.told(f"during {command[0]}", at_work, done),
    ]


def _run(*command: str) -> None:
    done = subprocess.run([*SEXTANT, *command], check=True, capture_output=True, text=True)
    if command[0] != "export":
        print(done.stdout)


if __name__ == "__main__":
    main()
