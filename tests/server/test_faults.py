"""200 means stored, whatever happens: each test counts what was answered and what is there."""

import contextlib
import itertools
import random
import signal
import subprocess
import threading
import time
from http.client import HTTPException

import duckdb
import pytest

from tests.server.conftest import OBJECT

pytestmark = pytest.mark.slow
# benchmarks.faults has hundreds.
ROUNDS = 4


class Load:
    """Clients in a closed loop that remember every prediction they were told of."""

    def __init__(self, server, clients=8):
        self.server = server
        self.acknowledged = []
        self.refused = []
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        self._ends = threading.Event()
        for thread in self._threads:
            thread.start()

    def _run(self):
        while not self._ends.is_set():
            # A connection that breaks is what the server's end looks like from here.
            with contextlib.suppress(OSError, HTTPException):
                rows = [OBJECT] * random.choice([1, 1, 1, 20])
                status, answer = self.server.post("/predict", rows)
                if status == 200:
                    ids = [row["prediction_id"] for row in answer["predictions"]]
                    self.acknowledged.extend(ids)
                else:
                    self.refused.append(status)

    def end(self):
        self._ends.set()
        for thread in self._threads:
            thread.join()


class Retrying:
    """Clients that name every request by a key, and send it until it is answered."""

    def __init__(self, clients=8):
        self.server = None
        self.answered = {}
        self.attempts = 0
        self._ends = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number,)) for number in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        chance = random.Random(number)
        for count in itertools.count():
            key = f"{number}-{count}"
            rows = [{**OBJECT, "id": key}] * chance.choice([1, 1, 1, 20, 600])
            while key not in self.answered:
                self._send(key, rows)
            if self._ends.is_set():
                return

    def _send(self, key, rows):
        with contextlib.suppress(OSError, HTTPException):
            if self.server is None:
                time.sleep(0.01)
                return
            self.attempts += 1
            status, answer = self.server.post(
                "/predict", rows, headers={"Idempotency-Key": f'"{key}"'}
            )
            if status == 200:
                self.answered[key] = [row["prediction_id"] for row in answer["predictions"]]
                return
        time.sleep(0.01)

    def end(self):
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def assert_stored_once(self, path):
        """Each key has the rows that it was told of, and no other row."""
        query = (
            "SELECT id, list(prediction_id::VARCHAR ORDER BY instance) FROM predictions GROUP BY 1"
        )
        with duckdb.connect(str(path), read_only=True) as database:
            stored = dict(database.execute(query).fetchall())
            keys = database.execute("SELECT key FROM idempotency_keys").fetchall()
        assert stored == self.answered
        assert sorted(key for (key,) in keys) == sorted(self.answered)


def stored_ids(path):
    with duckdb.connect(str(path), read_only=True) as database:
        rows = database.execute("SELECT prediction_id::VARCHAR FROM predictions").fetchall()
    return [prediction_id for (prediction_id,) in rows]


def assert_all_stored(path, acknowledged):
    stored = stored_ids(path)
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)


def test_no_acknowledged_row_is_lost_when_the_process_is_killed(start_server, tmp_path):
    path = tmp_path / "predictions.duckdb"
    acknowledged = []
    chance = random.Random(0)
    for _ in range(ROUNDS):
        server = start_server(path)
        load = Load(server)
        time.sleep(chance.uniform(0.1, 0.6))
        server.stop(signal.SIGKILL)
        load.end()
        acknowledged += load.acknowledged

    assert len(acknowledged) > 10 * ROUNDS
    server = start_server(path)
    newest = server.get("/predictions?format=json&limit=1")[1]["predictions"]
    assert len(newest) == 1
    server.stop()
    assert_all_stored(path, acknowledged)


def test_a_retried_request_is_stored_once_however_often_the_process_is_killed(
    start_server, tmp_path
):
    path = tmp_path / "predictions.duckdb"
    chance = random.Random(1)
    load = Retrying()
    try:
        for _ in range(ROUNDS):
            answered = len(load.answered)
            load.server = server = start_server(path)
            until(lambda answered=answered: len(load.answered) > answered)
            time.sleep(chance.uniform(0, 0.5))
            server.stop(signal.SIGKILL)
        load.server = server = start_server(path)
    finally:
        load.end()
    answers = {
        key: server.post(
            "/predict", [{**OBJECT, "id": key}] * len(ids), headers={"Idempotency-Key": key}
        )
        for key, ids in list(load.answered.items())[-50:]
    }
    assert server.stop() == 0

    assert load.attempts > len(load.answered) >= ROUNDS
    load.assert_stored_once(path)
    for key, (status, answer) in answers.items():
        assert status == 200
        assert [row["prediction_id"] for row in answer["predictions"]] == load.answered[key]


def test_a_stop_under_load_answers_what_it_took_and_keeps_it(start_server, tmp_path):
    path = tmp_path / "predictions.duckdb"
    for _ in range(2):
        server = start_server(path)
        load = Load(server, clients=16)
        time.sleep(0.5)

        started = time.monotonic()
        assert server.stop(signal.SIGTERM) == 0
        assert time.monotonic() - started < 10
        load.end()

        assert load.acknowledged
        assert set(load.refused) <= {503}
        assert_all_stored(path, load.acknowledged)
        assert not path.with_suffix(".duckdb.wal").exists()


class SmallDisk:
    """A tmpfs of few megabytes; where none can be mounted, files held to that size."""

    def __init__(self, folder, megabytes):
        self.folder, self.megabytes = folder, megabytes
        self.is_mounted = self._mount(f"size={megabytes}m")

    def _mount(self, options):
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        return subprocess.run(command, capture_output=True).returncode == 0

    def limit(self, server):
        if not self.is_mounted:
            self._limit_files(server, self.megabytes << 20)

    def free(self, server):
        if self.is_mounted:
            subprocess.run(["mount", "-o", "remount,size=500m", str(self.folder)], check=True)
        else:
            self._limit_files(server, 500 << 20)

    def close(self):
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    @staticmethod
    def _limit_files(server, size):
        pid = str(server.process.pid)
        subprocess.run(["prlimit", "--pid", pid, f"--fsize={size}:unlimited"], check=True)


def incompressible_rows(n):
    return [{**OBJECT, "id": random.randbytes(100).hex()} for _ in range(n)]


def until(condition, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# The first fills while the log is written, the second while it is folded into the database,
# after which DuckDB refuses everything until the file is opened anew.
@pytest.mark.parametrize(
    ("megabytes", "cause"), [(4, "Failed to commit"), (28, "Failed to create checkpoint")]
)
def test_a_full_disk_is_told_and_got_over_without_a_restart(
    start_server, tmp_path, megabytes, cause
):
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = SmallDisk(folder, megabytes)
    try:
        server = start_server(folder / "predictions.duckdb")
        disk.limit(server)
        acknowledged, status = [], 200
        while status == 200:
            status, answer = server.post("/predict", incompressible_rows(5_000))
            if status == 200:
                acknowledged += [row["prediction_id"] for row in answer["predictions"]]
            assert len(acknowledged) < 1_000_000
        assert status == 503
        assert answer["title"] == "Service Unavailable"
        assert server.get("/health/ready")[0] == 503
        assert server.get("/health/live")[0] == 200

        # It stays full for a while: looking whether it works again must not make it worse.
        time.sleep(2.5)
        assert server.post("/predict", incompressible_rows(5_000))[0] == 503
        disk.free(server)
        until(lambda: server.get("/health/ready")[0] == 200)
        status, answer = server.post("/predict", OBJECT)
        acknowledged.append(answer["prediction_id"])

        assert status == 200
        page = server.get("/predictions?format=json&limit=1")[1]["predictions"]
        assert page[0]["prediction_id"] == acknowledged[-1]
        assert server.stop() == 0
        assert cause in server.last_words[1]
        assert_all_stored(folder / "predictions.duckdb", acknowledged)
    finally:
        server.process.kill()
        server.process.communicate()
        disk.close()


def test_a_flood_beyond_the_queue_is_refused_and_nothing_mixed_up(start_server, tmp_path):
    server = start_server(max_waiting_rows=30, max_instances=20)
    load = Load(server, clients=24)
    time.sleep(2)
    load.end()

    assert 503 in load.refused
    assert load.acknowledged
    assert server.post("/predict", OBJECT)[0] == 200
    assert server.stop() == 0
    assert_all_stored(tmp_path / "predictions.duckdb", load.acknowledged)
