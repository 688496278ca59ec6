import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import msgspec
import numpy as np
import pytest

from server.browse.browsing import Edge, Order, read_page
from server.browse.filters import Filter
from server.browse.selection import Selection
from server.model import Model
from server.prediction_log import LogUnavailable, PredictionLog
from server.storage import layout, writer
from server.storage import open_log as open_log_module
from server.storage.database import LogUnusable
from server.storage.writing import BATCH_ROWS
from tests.server.conftest import OBJECT, ROOT, SHIPPED

_HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
input()
"""
_OPEN_AS_NOBODY = """
import os, sys
from pathlib import Path
from server.model import Model
from server.prediction_log import PredictionLog
contract = Model(Path(sys.argv[1])).contract
os.seteuid(65534 if os.geteuid() == 0 else os.geteuid())
PredictionLog(Path(sys.argv[2]), contract, max_waiting_rows=1, commit_timeout_s=1)
"""
LIMITS = {"max_waiting_rows": 100, "commit_timeout_s": 5.0}


def newest(log, limit, before=None):
    """Return rows as a page of the log has them."""
    edge = Edge(before, is_upper=True) if before else None
    with log.reading() as snapshot:
        everything = Selection(snapshot.sources, Filter())
        return read_page(snapshot.cursor, everything, Order(), edge, limit).rows


@pytest.fixture(scope="module")
def contract():
    return Model(SHIPPED).contract


@pytest.fixture
def open_log(tmp_path, contract):
    opened = []

    def open_(path=tmp_path / "log.duckdb", contract=contract, **limits):
        opened.append(PredictionLog(path, contract, **{**LIMITS, **limits}))
        return opened[-1]

    yield open_
    for log in opened:
        log.close()


def rows(contract, n=1, ids=None):
    """Arguments of append for `n` rows that look like any other."""
    values = [OBJECT.get(feature.name) for feature in contract.features]
    outputs = {
        "label": np.array(["STAR"] * n, dtype=object),
        "head": np.array(["photometric"] * n, dtype=object),
        "probabilities": np.array([[0.25, 0.0, 0.75]] * n, dtype=np.float32),
    }
    return {
        "request_id": "r",
        "ids": ids or [None] * n,
        "values": {
            feature.name: [value] * n
            for feature, value in zip(contract.features, values, strict=True)
        },
        "outputs": outputs,
        "warnings": [[]] * n,
        "inference_ms": 0.1,
    }


def test_rows_come_back_newest_first(open_log, contract):
    log = open_log()
    stored = log.append(**rows(contract, 3, ids=["a", "b", "c"]))
    log.append(**rows(contract, 1, ids=["d"]))

    found = newest(log, 10)

    assert [row["id"] for row in found] == ["d", "c", "b", "a"]
    assert [row["id"] for row in newest(log, 2)] == ["d", "c"]
    assert [row["id"] for row in newest(log, 10, before=stored.prediction_ids[2])] == ["b", "a"]
    assert found[-1]["prediction_id"] == stored.prediction_ids[0]
    assert found[-1]["predicted_at"] == stored.predicted_at


def test_a_row_is_there_for_others_once_append_returns(open_log, contract, tmp_path):
    log = open_log()
    log.append(**rows(contract))
    # A copy of the files, as a crash would leave them; another process copies, because closing
    # the file in this one would drop DuckDB's lock.
    for name in ("log.duckdb", "log.duckdb.wal"):
        subprocess.run(["cp", tmp_path / name, tmp_path / f"copy-{name}"], check=True)

    with duckdb.connect(str(tmp_path / "copy-log.duckdb")) as copy:
        assert copy.execute("SELECT count(*) FROM predictions").fetchone() == (1,)


def test_ids_are_in_the_order_of_the_times_whoever_asks(open_log, contract):
    log = open_log()
    with ThreadPoolExecutor(16) as threads:
        stored = list(threads.map(lambda _: log.append(**rows(contract)), range(200)))

    by_id = sorted(stored, key=lambda each: each.prediction_ids[0])
    assert [each.predicted_at for each in by_id] == sorted(each.predicted_at for each in stored)


def test_ids_never_step_back_when_the_clock_does(open_log, contract, monkeypatch):
    log = open_log()
    before = log.append(**rows(contract, 2)).prediction_ids
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000_000_000)

    after = log.append(**rows(contract, 2)).prediction_ids

    assert [*before, *after] == sorted([*before, *after])
    assert {UUID(str(i)).version for i in after} == {7}


def test_columns_are_typed_and_missing_values_are_null(open_log, contract, tmp_path):
    log = open_log()
    log.append(**rows(contract))
    log.close()

    with duckdb.connect(str(tmp_path / "log.duckdb")) as database:
        types = dict(
            database.execute(
                "SELECT column_name, column_type FROM (DESCRIBE predictions)"
            ).fetchall()
        )
        found = database.execute(
            "SELECT redshift IS NULL, probabilities.STAR, u FROM predictions"
        ).fetchone()

    assert types["u"] == "FLOAT"
    assert types["predicted_at"] == "TIMESTAMP"
    assert types["prediction_id"] == "UUID"
    assert found == (True, 0.75, pytest.approx(OBJECT["u"]))


@pytest.mark.parametrize(
    "text", ["plain", "it's", "a\\'b\\\\", "\x00\n\t\x7f", "é😀\uffff", "}'])--"]
)
def test_few_rows_are_stored_as_many_are(open_log, contract, text):
    log = open_log(max_waiting_rows=1_000)
    floats = [0.1, -0.0, 16777217.0, 3.4028235e38, 1e-45, 1 / 3]
    few = rows(contract, len(floats), ids=[text] * len(floats))
    few["values"]["redshift"] = [*floats[:-1], None]
    few["outputs"]["contributions"] = np.linspace(-1, 1, 18 * len(floats), dtype=np.float32)
    few["outputs"]["contributions"] = few["outputs"]["contributions"].reshape(-1, 6, 3)
    few["outputs"]["derived"] = np.full((len(floats), 6), np.nan, np.float32)
    few["outputs"]["novelty"] = np.arange(8 * len(floats)).reshape(-1, 8) % 3 == 0
    few["warnings"] = [[{"feature": text, "detail": text}]] * len(floats)
    # The same often enough to go in as columns.
    times = BATCH_ROWS // len(floats) + 1
    many = {name: value * times for name, value in few.items() if name in ("ids", "warnings")}
    many["values"] = {name: column * times for name, column in few["values"].items()}
    many["outputs"] = {
        name: np.concatenate([array] * times) for name, array in few["outputs"].items()
    }

    log.append(**few)
    log.append(**{**few, **many})

    with log.cursor() as cursor:
        alike = cursor.execute(
            "SELECT count(*) FROM (SELECT DISTINCT COLUMNS(* EXCLUDE (prediction_id, predicted_at, "
            "instance)), instance % $n FROM predictions)",
            {"n": len(floats)},
        ).fetchone()
        stored = cursor.execute(
            "SELECT redshift, id FROM predictions ORDER BY prediction_id LIMIT $n",
            {"n": len(floats)},
        ).fetchall()
    assert alike == (len(floats),)
    assert stored == [
        (None if x is None else float(np.float32(x)), text) for x in few["values"]["redshift"]
    ]


def test_memory_is_trimmed_but_not_while_somebody_reads(open_log, monkeypatch):
    log = open_log()
    limits = []
    trim = open_log_module.trim_memory
    monkeypatch.setattr(open_log_module, "trim_memory", lambda c: (limits.append(c), trim(c)))
    inner = log._writer._log

    with log.cursor() as reader:
        limit = reader.execute("SELECT current_setting('memory_limit')").fetchone()
        inner.trim()
        assert limits == []
    del reader
    inner.trim()

    assert len(limits) == 1
    with log.cursor() as reader:
        assert reader.execute("SELECT current_setting('memory_limit')").fetchone() == limit
        # What reads cannot set it: such a statement is none that SQL from users may be.
        assert reader.execute("SELECT current_setting('lock_configuration')").fetchone() == (True,)


def test_another_contract_gets_a_table_beside_and_nothing_is_lost(open_log, contract):
    log = open_log()
    log.append(**rows(contract, ids=["old"]))
    log.close()
    features = [f for f in contract.features if f.name != "redshift"]
    features.append(msgspec.structs.replace(features[0], name='w"1', type="string", range=None))
    other = msgspec.structs.replace(contract, features=features, model_version="other")

    log = open_log(contract=other)
    given = rows(other, ids=["new"])
    given["values"]['w"1'] = ["x'y"]
    log.append(**given)

    new, old = newest(log, 10)
    assert (new["id"], new["inputs"]['w"1'], "redshift" in new["inputs"]) == ("new", "x'y", False)
    assert (old["id"], "redshift" in old["inputs"], 'w"1' in old["inputs"]) == ("old", True, False)


def test_a_new_version_of_the_same_contract_shares_the_table(open_log, contract, tmp_path):
    open_log().close()
    open_log(contract=msgspec.structs.replace(contract, model_version="2")).close()

    with duckdb.connect(str(tmp_path / "log.duckdb")) as database:
        count = "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'stored%'"
        tables = database.execute(count).fetchone()
    assert tables == (1,)


def test_requests_at_once_share_commits(open_log, contract, monkeypatch):
    log = open_log()
    groups = []
    commit = log._writer._log.commit
    monkeypatch.setattr(
        log._writer._log, "commit", lambda group: (groups.append(len(group)), commit(group))
    )
    threads = [threading.Thread(target=log.append, kwargs=rows(contract)) for _ in range(40)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(groups) == 40
    assert len(groups) < 40
    assert len(newest(log, 100)) == 40


def test_a_full_queue_refuses(open_log, contract):
    log = open_log(max_waiting_rows=5)

    with pytest.raises(LogUnavailable, match="too many"):
        log.append(**rows(contract, 6))

    log.append(**rows(contract, 5))
    assert len(newest(log, 10)) == 5


def test_a_commit_that_takes_too_long_is_not_acknowledged(open_log, contract, monkeypatch):
    log = open_log(commit_timeout_s=0.05)
    release = threading.Event()
    commit = log._writer._log.commit
    monkeypatch.setattr(log._writer._log, "commit", lambda group: (release.wait(5), commit(group)))

    with pytest.raises(LogUnavailable, match=r"0\.05 s"):
        log.append(**rows(contract))

    release.set()


@pytest.mark.parametrize(
    "error",
    [
        duckdb.TransactionException('Failed to commit: Could not write file "x": No space left'),
        duckdb.TransactionException("Failed to commit: Failed to allocate block (bad allocation)"),
        duckdb.FatalException("database has been invalidated"),
    ],
)
def test_a_failed_commit_is_told_and_got_over(open_log, contract, monkeypatch, error):
    monkeypatch.setattr(writer, "_PROBE_INTERVAL_S", 0.02)
    log = open_log()

    def fail(*_):
        raise error

    if isinstance(error, duckdb.FatalException):
        # What DuckDB does after a failed checkpoint: every statement fails until it is reopened.
        log._writer._log._connection.close()

    with monkeypatch.context() as broken:
        broken.setattr(open_log_module, "insertion", fail)
        with pytest.raises(LogUnavailable):
            log.append(**rows(contract))
    assert log.trouble

    deadline = time.monotonic() + 5
    while log.trouble and time.monotonic() < deadline:
        time.sleep(0.01)
    assert log.trouble is None
    log.append(**rows(contract))
    assert len(newest(log, 10)) == 1


def test_after_a_commit_without_memory_the_log_is_read_from_the_disk_anew(
    open_log, contract, monkeypatch, tmp_path
):
    monkeypatch.setattr(writer, "_PROBE_INTERVAL_S", 0.02)
    monkeypatch.setattr(open_log_module, "_READERS_S", 0.05)
    log = open_log()
    log.append(**rows(contract, ids=["before"]))
    wal = tmp_path / "log.duckdb.wal"
    stored = wal.read_bytes()
    reader = log.cursor()
    # What is in memory alone, and a long query of somebody else.
    log.change(lambda connection: connection.execute("SET memory_limit = '77MiB'"))

    def query():
        with pytest.raises(duckdb.InterruptException):
            reader.execute("SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b")

    read = threading.Thread(target=query)
    read.start()

    def fail(*_):
        raise duckdb.TransactionException("Failed to commit: Allocation failure")

    with monkeypatch.context() as broken:
        broken.setattr(open_log_module, "insertion", fail)
        with pytest.raises(LogUnavailable):
            log.append(**rows(contract, ids=["never"]))

    with pytest.raises(LogUnavailable):
        log.cursor()
    read.join(10)
    assert not read.is_alive()
    assert log.trouble
    reader.close()
    deadline = time.monotonic() + 5
    while log.trouble and time.monotonic() < deadline:
        time.sleep(0.01)
    ((limit,),) = log.cursor().execute("SELECT current_setting('memory_limit')").fetchall()
    assert limit != "77.0 MiB"
    # Nothing of what was in memory came into the file.
    assert wal.read_bytes().startswith(stored)
    log.append(**rows(contract, ids=["after"]))
    assert [each["id"] for each in newest(log, 10)] == ["after", "before"]
    log.close()
    assert not wal.exists()


@pytest.mark.parametrize(
    "error",
    [
        duckdb.FatalException("Failed to create checkpoint: No space left on device"),
        duckdb.FatalException("Failed to create checkpoint: fsync failed!"),
        duckdb.TransactionException("Cannot CHECKPOINT: there are other write transactions"),
    ],
)
def test_after_a_checkpoint_that_failed_what_was_stored_is_there(
    open_log, contract, monkeypatch, error
):
    monkeypatch.setattr(open_log_module, "_WAL_BYTES", 1)
    log = open_log()
    log.append(**rows(contract, ids=["before"]))
    inner = log._writer._log
    works, is_over = inner._connection, threading.Event()

    class Broken:
        """A connection whose checkpoints fail."""

        def execute(self, *given):
            if given == ("CHECKPOINT",):
                is_over.set()
                raise error
            return works.execute(*given)

        def __getattr__(self, name):
            return getattr(works, name)

    log.change(lambda _: setattr(inner, "_connection", Broken()))
    log.append(**rows(contract, ids=["with"]))

    assert is_over.wait(5)
    # The writer gets over it before it takes the next row.
    log.append(**rows(contract, ids=["after"]))
    assert [each["id"] for each in newest(log, 10)] == ["after", "with", "before"]
    # Where it was opened anew, by another connection.
    assert isinstance(inner._connection, Broken) is ("fsync" not in str(error))


def test_after_a_sync_that_failed_all_is_written_anew(open_log, contract, monkeypatch, tmp_path):
    monkeypatch.setattr(writer, "_PROBE_INTERVAL_S", 0.02)
    log = open_log()
    log.append(**rows(contract, ids=["before"]))
    wal = tmp_path / "log.duckdb.wal"
    before = wal.stat().st_size

    def fail(*_):
        raise duckdb.FatalException("FATAL Error: fsync failed!")

    with monkeypatch.context() as broken:
        broken.setattr(open_log_module, "insertion", fail)
        with pytest.raises(LogUnavailable):
            log.append(**rows(contract))
    deadline = time.monotonic() + 5
    while log.trouble and time.monotonic() < deadline:
        time.sleep(0.01)

    assert log.trouble is None
    # What stood in the write-ahead log, and may not be on the disk, is in the file.
    assert not wal.exists() or wal.stat().st_size < before
    assert [each["id"] for each in newest(log, 10)] == ["before"]


def test_a_database_in_use_names_the_process(open_log, tmp_path):
    path = tmp_path / "taken.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    holder.stdout.readline()

    try:
        with pytest.raises(LogUnusable, match="another process has it open") as caught:
            open_log(path)
        assert f"PID {holder.pid}" in str(caught.value)
    finally:
        holder.communicate(b"\n")


def test_what_is_no_database_is_refused(open_log, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("something else " * 1_000)

    with pytest.raises(LogUnusable, match="no DuckDB database"):
        open_log(path)

    assert path.read_text().startswith("something else")


def test_a_folder_is_refused(open_log, tmp_path):
    with pytest.raises(LogUnusable, match="SEXTANT_DATABASE"):
        open_log(tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE predictions (a INTEGER)",
        "CREATE VIEW predictions AS SELECT 1 AS a",
    ],
)
def test_the_database_of_another_program_is_left_alone(open_log, tmp_path, statement):
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as theirs:
        theirs.execute(statement)

    with pytest.raises(LogUnusable, match="belongs to another program"):
        open_log(path)

    with duckdb.connect(str(path)) as theirs:
        assert theirs.execute("SELECT table_name FROM information_schema.tables").fetchall() == [
            ("predictions",)
        ]
        assert theirs.execute("SELECT * FROM predictions").description[0][0] == "a"


@pytest.mark.parametrize(
    "table", ["predictions_2024", "predictions_x", '"predictions_my table"', "predictions_0123abcd"]
)
def test_a_table_of_another_program_beside_ours_is_not_read(open_log, tmp_path, contract, table):
    path = tmp_path / "log.duckdb"
    with duckdb.connect(str(path)) as theirs:
        theirs.execute(f"CREATE TABLE {table} (a INTEGER, label VARCHAR)")
        theirs.execute(f"INSERT INTO {table} VALUES (1, 'x')")

    log = open_log(path)
    log.append(**rows(contract))

    assert len(newest(log, 10)) == 1


@pytest.mark.parametrize("name", [":memory:", ":memory:log", "md:log"])
def test_a_name_that_duckdb_takes_for_something_else_is_a_file(
    open_log, tmp_path, contract, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)

    open_log(Path(name)).append(**rows(contract))

    assert (tmp_path / name).is_file()


def test_what_is_no_file_is_refused(open_log, tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(LogUnusable, match="this is no file"):
            open_log(path)


def test_an_older_duckdb_can_read_the_log(open_log, tmp_path):
    open_log().close()

    with duckdb.connect(str(tmp_path / "log.duckdb"), read_only=True) as database:
        (tags,) = database.execute(
            "SELECT tags FROM duckdb_databases() WHERE database_name = 'log'"
        ).fetchone()
    assert tags["storage_version"].startswith("v1.4.0")


def test_a_commit_that_hangs_is_trouble_and_cannot_be_waited_for(open_log, contract, monkeypatch):
    log = open_log(commit_timeout_s=0.05)
    release = threading.Event()
    commit = log._writer._log.commit
    monkeypatch.setattr(log._writer._log, "commit", lambda group: (release.wait(10), commit(group)))

    with pytest.raises(LogUnavailable):
        log.append(**rows(contract))

    # The writer took the rows a little after they were handed in.
    deadline = time.monotonic() + 5
    while log.trouble is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert log.trouble == "a commit does not come to its end"
    assert not log.close(timeout_s=0.05)
    release.set()


def test_a_full_queue_is_trouble(open_log, contract, monkeypatch):
    log = open_log(max_waiting_rows=1)
    release = threading.Event()
    commit = log._writer._log.commit
    monkeypatch.setattr(log._writer._log, "commit", lambda group: (release.wait(10), commit(group)))
    waiting = threading.Thread(target=log.append, kwargs=rows(contract))
    waiting.start()

    while log.trouble is None:
        time.sleep(0.01)
    trouble = log.trouble
    release.set()
    waiting.join()

    assert trouble == "too many rows wait to be stored"
    assert log.trouble is None


@pytest.mark.parametrize("place", ["header", "block"])
def test_a_damaged_database_is_refused_and_kept(open_log, tmp_path, contract, place):
    path = tmp_path / "log.duckdb"
    log = open_log(path)
    log.append(**rows(contract, 50))
    log.close()
    damaged = bytearray(path.read_bytes())
    start = 16 if place == "header" else 3 * 4096 + 64
    damaged[start : start + 4096] = os.urandom(4096)
    path.write_bytes(damaged)

    with pytest.raises(LogUnusable, match=r"hold predictions|no DuckDB"):
        open_log(path)

    assert path.read_bytes() == damaged


def test_a_folder_that_may_not_be_written_is_refused(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    command = [sys.executable, "-c", _OPEN_AS_NOBODY, SHIPPED, folder / "log.duckdb"]

    tried = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert "LogUnusable" in tried.stderr
    assert "ermission denied" in tried.stderr


def test_a_folder_that_cannot_be_made_is_named(open_log, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(LogUnusable, match="file cannot be made a folder"):
        open_log(tmp_path / "file" / "log.duckdb")


def test_times_are_utc(open_log, contract, monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        stored = open_log().append(**rows(contract))
    finally:
        monkeypatch.undo()
        time.tzset()

    assert abs(datetime.now(UTC).replace(tzinfo=None) - stored.predicted_at) < timedelta(minutes=1)


def test_tables_are_made_all_or_none(contract, monkeypatch):
    answers = iter([[]])

    def find_tables(_connection):
        for answer in answers:
            return answer
        raise duckdb.IOException("gone")

    monkeypatch.setattr(layout, "find_views", find_tables)
    with duckdb.connect() as database:
        with pytest.raises(duckdb.IOException, match="gone"):
            layout.create_table(database, contract)

        assert database.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)


def test_a_change_is_committed_when_it_returns_and_says_what_it_found(open_log):
    log = open_log()

    log.change(lambda connection: connection.execute("CREATE TABLE kept (n INTEGER)"))
    count = log.change(
        lambda connection: connection.execute("INSERT INTO kept VALUES (1), (2)").fetchone()
    )

    assert count == (2,)
    with log.cursor() as cursor:
        assert cursor.execute("SELECT sum(n) FROM kept").fetchone() == (3,)


@pytest.mark.parametrize("error", [ValueError("no"), duckdb.ConversionException("no")])
def test_a_change_that_fails_leaves_nothing_and_predictions_go_on(open_log, contract, error):
    log = open_log()

    def half(connection):
        connection.execute("CREATE TABLE kept (n INTEGER)")
        raise error

    with pytest.raises(LogUnavailable if isinstance(error, duckdb.Error) else ValueError):
        log.change(half)

    log.append(**rows(contract))
    assert log.trouble is None
    with log.cursor() as cursor, pytest.raises(duckdb.CatalogException):
        cursor.execute("FROM kept")
