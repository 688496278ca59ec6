"""What power that fails leaves of a log: a server starts on it with all that was acknowledged."""

import logging
import os
import struct
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from server.app import create_app
from server.config import Settings
from server.storage.checksums import checksum
from server.storage.database import LogUnusable
from server.storage.power_loss import mend_after_power_loss
from server.storage.write_ahead import END_OF_TRANSACTION, look_at_wal
from tests.server.conftest import OBJECT, SHIPPED

REQUESTS, ROWS = 6, 5
IN_FILE = 30
SECTOR = 512
# The first block is of metadata, and its last page is free.
FREE_PAGE = 3 * 4096 + 63 * 4096


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The bytes of a killed server's log and of its write-ahead log, a transaction a request."""
    path = tmp_path_factory.mktemp("killed") / "live.duckdb"
    app = create_app(Settings(model=SHIPPED, database=path))
    client, log = app.test_client(), app.extensions["sextant"].log
    client.post("/predict", json=[OBJECT] * IN_FILE)
    log.change(lambda writer: writer.execute("CHECKPOINT"))
    for _ in range(REQUESTS):
        assert client.post("/predict", json=[OBJECT] * ROWS).status_code == 200
    # By other processes: closing a file in this one would let go of the lock.
    whole = [
        subprocess.run(["cat", each], capture_output=True, check=True).stdout
        for each in (path, f"{path}.wal")
    ]
    log.close()
    return whole


def lay(folder, file, wal):
    path = folder / "log.duckdb"
    path.write_bytes(file)
    Path(f"{path}.wal").write_bytes(wal)
    return path


def rows_of(path):
    """Return how many predictions a server has that starts on this log."""
    app = create_app(Settings(model=SHIPPED, database=path))
    answer = app.test_client().get("/sql.json?q=SELECT count(*) FROM predictions")
    app.extensions["sextant"].log.close()
    return answer.json["rows"][0][0]


def transactions(wal):
    """Return where each transaction ends."""
    ends, at = [], 0
    while (at := wal.find(END_OF_TRANSACTION, at)) >= 0:
        at += len(END_OF_TRANSACTION)
        ends.append(at)
    return ends


def without_sector(wal, number):
    """Return the log with a sector of a transaction that never came to the disk."""
    first = -(-transactions(wal)[number - 1] // SECTOR) * SECTOR
    assert first + SECTOR <= transactions(wal)[number]
    return wal[:first] + bytes(SECTOR) + wal[first + SECTOR :]


def test_a_last_transaction_that_lacks_a_sector_is_cut_off_and_kept(killed, tmp_path, caplog):
    file, wal = killed
    path = lay(tmp_path, file, without_sector(wal, -1))
    start = transactions(wal)[-2]

    with caplog.at_level(logging.WARNING):
        assert rows_of(path) == IN_FILE + (REQUESTS - 1) * ROWS

    (kept,) = tmp_path.glob("log.duckdb.wal.cut-*")
    assert kept.read_bytes() == without_sector(wal, -1)[start:]
    assert f"kept in {kept.name}" in caplog.text


def test_a_log_of_which_not_even_the_head_came_to_the_disk_is_empty(killed, tmp_path):
    file, wal = killed
    path = lay(tmp_path, file, bytes(SECTOR) + wal[SECTOR : transactions(wal)[0]])

    assert rows_of(path) == IN_FILE


@pytest.mark.parametrize("number", [-2, 1])
def test_a_transaction_that_lacks_a_sector_with_others_behind_it_is_damage(
    killed, tmp_path, number
):
    file, wal = killed
    path = lay(tmp_path, file, without_sector(wal, number))

    with pytest.raises(LogUnusable, match="its write-ahead log is damaged"):
        rows_of(path)
    assert Path(f"{path}.wal").read_bytes() == without_sector(wal, number)


def test_a_last_transaction_with_other_bytes_was_synced_and_is_damage(killed, tmp_path):
    file, wal = killed
    at = transactions(wal)[-2] + 600
    path = lay(tmp_path, file, wal[:at] + bytes([wal[at] ^ 1]) + wal[at + 1 :])

    with pytest.raises(LogUnusable, match="damaged"):
        rows_of(path)


def begun(wal):
    """Return the log as it is once a checkpoint has begun, which puts its metadata elsewhere."""
    entry = (
        bytes.fromhex("64006365006400") + b"\x80" * 8 + b"\x0b" + bytes.fromhex("650008ffffffff")
    )
    return wal + struct.pack("<QQ", len(entry), checksum(entry)) + entry + END_OF_TRANSACTION


def torn(file):
    return file[:FREE_PAGE] + b"new metadata" + file[FREE_PAGE + 12 :]


def test_a_block_that_a_checkpoint_has_torn_is_as_it_was_before(killed, tmp_path, caplog):
    file, wal = killed
    path = lay(tmp_path, torn(file), begun(wal))
    assert look_at_wal(Path(f"{path}.wal")).ends_in_checkpoint

    with caplog.at_level(logging.WARNING):
        assert rows_of(path) == IN_FILE + REQUESTS * ROWS

    assert "a checkpoint of " in caplog.text
    assert list(tmp_path.iterdir()) == [path]


def test_a_torn_block_without_a_checkpoint_is_damage(killed, tmp_path):
    file, wal = killed
    path = lay(tmp_path, torn(file), wal)

    with pytest.raises(LogUnusable, match="damaged"):
        rows_of(path)
    assert path.read_bytes() == torn(file)


@pytest.mark.parametrize(
    ("missing", "is_whole"),
    [
        (range(8), False),
        (range(24), False),
        (range(8, 9), False),
        (range(16, 24), False),
        (range(1, 8), True),  # sectors in which nothing stands
    ],
)
def test_a_file_that_was_never_made_whole_is_put_aside(missing, is_whole, tmp_path, caplog):
    path = tmp_path / "log.duckdb"
    duckdb.connect(str(path)).close()
    content = bytearray(path.read_bytes()[: 3 * 4096])
    for sector in missing:
        content[sector * SECTOR : (sector + 1) * SECTOR] = bytes(SECTOR)
    path.write_bytes(content)
    os.utime(path, (0, 0))

    with caplog.at_level(logging.WARNING):
        assert rows_of(path) == 0

    kept = [each.read_bytes() for each in tmp_path.glob("*.unfinished-*")]
    assert kept == ([] if is_whole else [content])
    assert ("was never made whole" in caplog.text) is not is_whole


def test_an_empty_file_is_put_aside(tmp_path):
    path = tmp_path / "log.duckdb"
    path.touch()
    # Another server may be making it.
    with pytest.raises(LogUnusable):
        create_app(Settings(model=SHIPPED, database=path))

    os.utime(path, (0, 0))

    assert rows_of(path) == 0
    assert [each.stat().st_size for each in tmp_path.glob("*.unfinished-*")] == [0]


@pytest.mark.parametrize("content", [b"notes\n", b"x" * 4096, b"SQLite format 3\0" * 512])
def test_a_small_file_of_something_else_is_not_put_aside(content, tmp_path):
    path = tmp_path / "log.duckdb"
    path.write_bytes(content)
    os.utime(path, (0, 0))

    with pytest.raises(LogUnusable):
        create_app(Settings(model=SHIPPED, database=path))

    assert path.read_bytes() == content
    assert [*tmp_path.iterdir()] == [path]


def test_the_log_of_another_process_is_left_alone(killed, tmp_path):
    file, wal = killed
    path = lay(tmp_path, torn(file), without_sector(begun(wal), -2))
    program = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+b'); fcntl.lockf(file, fcntl.LOCK_EX); "
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()

        mend_after_power_loss(path)

        other.communicate()
    assert path.read_bytes() == torn(file)
    assert not list(tmp_path.glob("*.cut-*"))
