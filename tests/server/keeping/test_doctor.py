"""Real damage of every kind: what the doctor says of it, what is saved, and nothing is changed."""

import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest

from server.app import create_app
from server.config import Settings
from server.keeping.file_format import FIRST_BLOCK, PAGE, look_at_file
from server.keeping.space import wal_of
from server.storage.checksums import checksum
from server.storage.database import LogUnusable, open_database
from server.storage.write_ahead import END_OF_TRANSACTION, look_at_wal
from tests.server.conftest import OBJECT, SHIPPED
from tests.server.keeping.conftest import command

# Requests of three rows, each a transaction in the write-ahead log.
REQUESTS = 20


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A log as a killed server leaves it: rows in its file, and twenty requests not yet in it."""
    folder = tmp_path_factory.mktemp("killed")
    app = create_app(Settings(model=SHIPPED, database=folder / "live.duckdb"))
    client, log = app.test_client(), app.extensions["sextant"].log
    client.post("/predict", json=[{**OBJECT, "id": f"in the file {k}"} for k in range(30)])
    log.change(lambda writer: writer.execute("CHECKPOINT"))
    for _ in range(REQUESTS):
        assert client.post("/predict", json=[OBJECT] * 3).status_code == 200
    # By another process: closing the file in this one would let go of the lock.
    copy = ["cp", folder / "live.duckdb", folder / "killed.duckdb"]
    subprocess.run(copy, check=True)
    subprocess.run([*copy[:1], *(wal_of(path) for path in copy[1:])], check=True)
    log.close()
    return folder / "killed.duckdb"


@pytest.fixture
def damaged(killed, tmp_path):
    """Copy the log, and change some of its bytes."""

    def damage(change_file=None, change_wal=None):
        path = tmp_path / "log.duckdb"
        content, wal = bytearray(killed.read_bytes()), bytearray(wal_of(killed).read_bytes())
        path.write_bytes(change_file(content) if change_file else content)
        wal_of(path).write_bytes(change_wal(wal) if change_wal else wal)
        return path

    return damage


def examined(path, *, salvage=None, code):
    """Return what the doctor says, which must have changed nothing and ended with `code`."""
    before = {each: each.read_bytes() for each in (path, wal_of(path)) if each.is_file()}
    done = command(path, "doctor", *(["--salvage", str(salvage)] if salvage else []))
    assert (done.returncode, done.stderr) == (code, ""), done.stdout + done.stderr
    assert {each: each.read_bytes() for each in before} == before
    return done.stdout


def salvaged_rows(folder):
    """Return how many predictions a server has that starts on what was salvaged."""
    app = create_app(Settings(model=SHIPPED, database=folder / "salvaged.duckdb"))
    answer = app.test_client().get("/sql.json?q=SELECT count(*), count(label) FROM predictions")
    app.extensions["sextant"].log.close()
    return answer.json["rows"][0]


def flipped(content, at):
    content[at] ^= 255
    return content


def test_of_a_whole_log_it_says_so_and_what_is_in_it(damaged):
    told = examined(damaged(), code=0)

    assert "nothing is wrong" in told
    assert "90 predictions" in told
    assert "held by nobody" in told
    assert "storage version v1.4.0+; DuckDB 2.0.0 reads it here" in told
    assert "are free on its disk" in told
    assert "SEXTANT_KEEP_DAYS = 0.0" in told


def test_a_torn_end_is_no_damage(damaged):
    told = examined(damaged(change_wal=lambda wal: wal[:-7]), code=0)

    assert "nothing acknowledged is lost" in told
    assert "87 predictions" in told


def test_garbage_behind_the_end_is_no_damage(damaged):
    told = examined(damaged(change_wal=lambda wal: wal + os.urandom(500)), code=0)

    assert "ends in 500 bytes of no transaction, behind 20 whole ones" in told
    assert "90 predictions" in told


def _middle(wal):
    return flipped(wal, len(wal) // 2)


def _size_in_the_middle(wal):
    """A size that reaches beyond the end: DuckDB takes that for a torn one."""
    end = wal.find(END_OF_TRANSACTION, len(wal) // 2) + len(END_OF_TRANSACTION)
    return flipped(wal, end + 4)


@pytest.mark.parametrize("change", [_middle, _size_in_the_middle])
def test_a_write_ahead_log_damaged_in_the_middle_is_saved_but_for_a_transaction(
    damaged, tmp_path, change
):
    path = damaged(change_wal=change)

    told = examined(path, salvage=tmp_path / "saved", code=3)

    assert "committed ones stand behind that" in told
    assert "what stands at the damage is lost, those behind are kept" in told
    # One request of three rows; the next as well where the damage hit the end of that.
    assert salvaged_rows(tmp_path / "saved")[0] in (84, 87)


@pytest.mark.parametrize("change", [_middle, _size_in_the_middle])
def test_a_server_does_not_start_where_duckdb_would_drop_what_was_acknowledged(damaged, change):
    path = damaged(change_wal=change)
    before = wal_of(path).read_bytes()

    with pytest.raises(LogUnusable, match="would drop what was committed"):
        open_database(path)

    assert wal_of(path).read_bytes() == before


def test_a_head_of_the_write_ahead_log_that_is_damaged_costs_the_log_alone(damaged, tmp_path):
    path = damaged(change_wal=lambda wal: flipped(wal, 0))

    told = examined(path, salvage=tmp_path / "saved", code=3)

    assert "nothing in it can be read" in told
    assert salvaged_rows(tmp_path / "saved") == [30, 30]
    with pytest.raises(LogUnusable, match="would drop"):
        open_database(path)


@pytest.mark.parametrize("page", [0, 1, 2])
def test_one_damaged_header_costs_nothing(damaged, tmp_path, page):
    path = damaged(lambda content: flipped(content, page * PAGE + 3000))

    told = examined(path, salvage=tmp_path / "saved", code=3)

    assert "header is damaged" in told
    assert salvaged_rows(tmp_path / "saved") == [90, 90]


def test_a_header_that_says_nothing_any_more_costs_what_came_after_the_other(damaged, tmp_path):
    def spoil(content):
        first, second = (struct.unpack_from("<Q", content, n * PAGE + 8)[0] for n in (1, 2))
        newer = PAGE if first > second else 2 * PAGE
        content[newer : newer + 100] = os.urandom(100)
        return content

    told = examined(damaged(spoil), salvage=tmp_path / "saved", code=3)

    assert "checkpoint header is damaged" in told
    assert "the other is used" in told
    assert salvaged_rows(tmp_path / "saved") == [0, 0]


def test_what_is_no_database_is_said_to_be_none(tmp_path):
    path = tmp_path / "log.duckdb"
    path.write_text("a shopping list\n" * 1000)

    told = examined(path, code=1)

    assert "this is no DuckDB database" in told


def test_a_file_of_a_newer_duckdb_is_not_called_damaged(damaged):
    def newer(content):
        content[12:20] = struct.pack("<Q", 99)
        content[:8] = struct.pack("<Q", checksum(bytes(content[8:PAGE])))
        return content

    told = examined(damaged(newer), code=1)

    assert "does not know this version of the format" in told
    assert "damaged" not in told.replace("nothing is wrong", "")


@pytest.mark.parametrize(
    ("path", "told"),
    [("none.duckdb", "no such file"), ("no/folder.duckdb", "no such folder"), (".", "no file")],
)
def test_what_is_not_there_is_said_to_be_missing(tmp_path, path, told):
    assert told in examined(tmp_path / path, code=1)


def test_who_may_not_read_is_told(damaged):
    path = damaged()
    path.chmod(0)
    path.parent.chmod(0o755)
    code = (
        "import os, sys; from pathlib import Path; from server.keeping.doctor import Doctor; "
        "os.access('/', 0); os.seteuid(65534 if os.geteuid() == 0 else os.geteuid()); "
        "doctor = Doctor(Path(sys.argv[1])); print(*doctor.look()); sys.exit(doctor.state)"
    )
    for parent in path.parents:
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(0o755)

    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=False
    )

    assert "this user may not read it" in done.stdout, done.stderr
    assert done.returncode == 1


def test_a_full_disk_is_named(damaged, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    path = damaged()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={path.stat().st_size + 2**20}", "tmpfs"]
    if subprocess.run([*mount, str(small)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        subprocess.run(["cp", path, wal_of(path), small], check=True)

        told = examined(small / path.name, code=1)
    finally:
        subprocess.run(["umount", str(small)], check=True)

    assert "the disk is full, or nearly" in told
    assert "90 predictions" in told


def test_it_says_who_holds_the_log_and_asks_that_server(tmp_path, start_server):
    server = start_server()
    server.post("/predict", [OBJECT] * 3)

    done = command(tmp_path / "predictions.duckdb", "doctor", "--url", server.url)
    refused = command(
        tmp_path / "predictions.duckdb", "doctor", "--url", server.url, "--salvage", tmp_path / "s"
    )

    assert done.returncode == 0, done.stderr
    assert f"held by PID {server.process.pid}: " in done.stdout
    assert "-m server" in done.stdout
    assert "3 predictions" in done.stdout
    assert refused.returncode == 1
    assert "stop the server first" in refused.stderr


@pytest.mark.slow
def test_of_a_damaged_block_everything_is_saved_but_its_column_in_its_rows(killed, tmp_path):
    path = tmp_path / "log.duckdb"
    path.write_bytes(killed.read_bytes())
    with duckdb.connect(str(path)) as connection:
        ((table,),) = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name ^@ 'stored_'"
        ).fetchall()
        connection.execute(
            f"INSERT INTO {table} SELECT t.* REPLACE (uuidv7() AS prediction_id, "
            f"'object ' || range AS id) FROM {table} t, range(5000)"
        )
        connection.execute("CHECKPOINT")
        ((rows,),) = connection.execute("SELECT count(*) FROM predictions").fetchall()
        block, group = connection.execute(
            f"SELECT block_id, row_group_id FROM pragma_storage_info('{table}') "
            "WHERE column_name = 'prediction_id' AND block_id >= 0 ORDER BY ALL DESC"
        ).fetchone()
    content = bytearray(path.read_bytes())
    path.write_bytes(flipped(content, FIRST_BLOCK + block * 262_144 + 5_000))

    told = examined(path, salvage=tmp_path / "saved", code=3)

    assert look_at_file(path).damaged_blocks == [block]
    assert "prediction_id cannot be read" in told
    assert "1 of " in told
    with duckdb.connect(str(tmp_path / "saved" / "salvaged.duckdb")) as saved:
        whole = saved.execute("SELECT count(*), count(prediction_id), count(id) FROM predictions")
        ((total, whole_rows, ids),) = whole.fetchall()
    assert total == ids == rows
    assert rows - 122_880 <= whole_rows < rows
    assert group >= 0


def test_salvage_takes_an_empty_folder_only(damaged, tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "mine").touch()

    done = command(damaged(), "doctor", "--salvage", tmp_path / "saved")

    assert done.returncode == 1
    assert "name an empty folder" in done.stderr


def test_any_byte_of_the_write_ahead_log_that_changes_is_noticed(killed, tmp_path):
    """Or nothing is lost by it: whatever DuckDB would drop, the look finds."""
    wal = wal_of(killed).read_bytes()
    path = tmp_path / "x.wal"
    missed = []

    for at in range(0, len(wal), 97):
        path.write_bytes(flipped(bytearray(wal), at))
        look = look_at_wal(path)
        if not look.is_damaged and look.transactions == REQUESTS:
            missed.append(at)

    assert look_at_wal(wal_of(killed)).transactions == REQUESTS
    # In the head stand the ids of database and checkpoint, which DuckDB compares itself.
    assert [at for at in missed if at > look.head_bytes] == []


def test_a_folder_that_may_not_be_entered_is_told(damaged):
    path = damaged()
    code = (
        "import os, sys; from pathlib import Path; from server.keeping.doctor import Doctor; "
        "os.seteuid(65534 if os.geteuid() == 0 else os.geteuid()); "
        "doctor = Doctor(Path(sys.argv[1])); print(*doctor.look()); sys.exit(doctor.state)"
    )
    path.parent.chmod(0)

    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=False
    )
    path.parent.chmod(0o755)

    assert "this user may not read it" in done.stdout, done.stderr
    assert done.returncode == 1
