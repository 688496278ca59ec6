"""Press an image that runs, stop it meanwhile, and count: ``python press_image.py URL PID``.

Run where the image's network is. Singles, the largest batches, Parquet and SQL come at once; then
SIGTERM. Whatever is in the log has to have been answered with 200, and the other way round.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path
from urllib.parse import quote, urlsplit

import duckdb

OBJECT = {"u": 19.47406, "g": 17.0424, "r": 15.94699, "i": 15.50342, "z": 15.22531}
LARGEST = 10_000
SECONDS = 6.0
# Longest time for an orderly stop: a third of what Docker waits before it kills.
MOST_S = 3.0
SQL = """
SELECT a.label, count(*), length(string_agg(DISTINCT a.prediction_id::VARCHAR, '')) AS length
FROM predictions a JOIN predictions b ON a.instance = b.instance GROUP BY a.label
"""


class Client(threading.Thread):
    """Asks one thing again and again, until it is told to end or nobody answers."""

    def __init__(self, url, method, path, body=None, rows=0):
        super().__init__()
        self.address, self.asked, self.rows = urlsplit(url).netloc, (method, path, body), rows
        self.statuses, self.answered, self.is_over = Counter(), 0, threading.Event()

    def run(self):
        """Count the answers by status, and the rows that were answered with 200."""
        while not self.is_over.is_set() and not self.statuses["none"]:
            status = "none"
            with contextlib.suppress(OSError, http.client.HTTPException):
                status = self.ask()
            self.statuses[status] += 1
            self.answered += self.rows if status == 200 else 0

    def ask(self):
        """Return the status of one answer, once it is there to its end."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        with contextlib.closing(connection):
            connection.request(*self.asked, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
        return answer.status


def main():
    """Press, stop, count; return 1 if something is not as it should be."""
    url, pid = sys.argv[1], int(sys.argv[2])
    single, batch = json.dumps(OBJECT).encode(), json.dumps([OBJECT] * LARGEST).encode()
    clients = {
        "single": [Client(url, "POST", "/predict", single, 1) for _ in range(16)],
        "batch": [Client(url, "POST", "/predict", batch, LARGEST)],
        "sql": [Client(url, "GET", f"/sql.json?q={quote(SQL)}")],
        "ready": [Client(url, "GET", "/health/ready")],
    }
    before = stored_already(url)
    everybody = [each for group in clients.values() for each in group]
    for each in everybody:
        each.start()
    time.sleep(SECONDS)
    memory = told_of_memory(pid)
    # The file is gone with the container but for who holds it open.
    with Path(f"/proc/{pid}/root/data/predictions.duckdb").open("rb") as log:
        took = stop(pid)
        for each in everybody:
            each.is_over.set()
            each.join()
        stored = count(log) - before
    answered = sum(each.answered for each in everybody)
    told = {
        name: sum((each.statuses for each in group), Counter()) for name, group in clients.items()
    }
    print("; ".join(f"{name} {dict(counted)}" for name, counted in told.items()))
    print(f"{memory}; stopped in {took:.2f} s; {answered} rows answered, {stored} stored")
    # The faster the machine, the more rows the query joins; one that wants more memory than there
    # is is told so.
    told["sql"].pop(422, None)
    others = {*sum(told.values(), Counter())} - {200, 503, "none"}
    silent = [name for name, counted in told.items() if not counted[200]]
    return bool(others or silent or took > MOST_S or stored != answered)


def stored_already(url):
    """Return how many rows the log holds before."""
    with urllib.request.urlopen(f"{url}/sql.json?q=SELECT+count(*)+FROM+predictions") as answer:
        return json.load(answer)["rows"][0][0]


def stop(pid):
    """End a process and return how many seconds that took."""
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    while not is_over(pid):
        time.sleep(0.01)
    return time.monotonic() - began


def is_over(pid):
    """Tell whether a process has ended, or waits for its parent to look."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def told_of_memory(pid):
    """Return what the control group of the container says, in version 1 or 2."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for folder, name in (
            (f"/sys/fs/cgroup/memory{path}", "memory.max_usage_in_bytes"),
            (f"/sys/fs/cgroup{path}", "memory.peak"),
        ):
            if controllers in ("memory", "") and (Path(folder) / name).is_file():
                return f"{int((Path(folder) / name).read_text()) >> 20} MiB at most"
    return "no control group tells of memory"


def count(log):
    """Return how many rows a log holds."""
    with tempfile.NamedTemporaryFile(suffix=".duckdb") as copy:
        shutil.copyfileobj(log, copy)
        copy.flush()
        with duckdb.connect(copy.name, read_only=True) as connection:
            return connection.execute("SELECT count(*) FROM predictions").fetchone()[0]


if __name__ == "__main__":
    sys.exit(main())
