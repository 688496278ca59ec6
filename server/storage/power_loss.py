"""Mend, before a log is opened, what power that failed leaves of it and DuckDB does not open.

A commit writes many sectors and is acknowledged once they are synced: where power failed before,
some of them may be missing, and DuckDB refuses the whole log. A checkpoint writes new metadata into
free parts of blocks whose other parts the last checkpoint needs: where power failed in between, the
block's checksum is of neither, though what is needed of it is whole. And at the first start, it
may have failed before the file itself was whole.
"""

import fcntl
import logging
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from server.storage.checksums import checksum
from server.storage.write_ahead import look_at_wal, wals_of

_logger = logging.getLogger(__name__)

_BLOCK_BYTES = 262_144
_FIRST_BLOCK = 3 * 4096
_CHECKSUM_BYTES = 8
_SECTOR_BYTES = 512
# Another process that makes a file has its headers whole long before.
_IN_THE_MAKING_S = 10.0
_AT = re.compile(r"Corrupt database file: .* in block at location (\d+)")


def mend_after_power_loss(database: Path) -> None:
    """Make a log fit to be opened; to be called before this process opens it, and not again.

    To close a file gives up every lock of the process on it, and so DuckDB's own. Nothing is done
    where another process has the log, and nothing that was acknowledged is changed.
    """
    try:
        if not database.is_file():
            return
        if not any(wal.is_file() for wal in wals_of(database)):
            # It was stopped in order, or never written.
            told = database.stat()
            age_s = time.time() - told.st_mtime
            if told.st_size <= _FIRST_BLOCK and age_s > _IN_THE_MAKING_S:
                _put_aside_unless_whole(database)
            return
        with database.open("r+b") as file:
            # DuckDB's own kind of lock.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            looks = {wal: look_at_wal(wal) for wal in wals_of(database)}
            for wal, look in looks.items():
                if look.is_unfinished:
                    _cut(wal, look.whole_bytes)
        if any(look.ends_in_checkpoint for look in looks.values()):
            seal_torn_blocks(database)
    except OSError:
        return  # who opens it next says why that cannot be


def seal_torn_blocks(database: Path) -> list[int]:
    """Make the checksums of blocks fit that a checkpoint which was cut off has torn.

    Only blocks of metadata, and only where the write-ahead log ends in a checkpoint's begin:
    elsewhere a checksum that does not fit is damage. Returns where the blocks stand.
    """
    sealed: list[int] = []
    while (at := _find_torn(database)) is not None and at not in sealed:
        _seal(database, at)
        sealed.append(at)
    if sealed:
        _logger.warning(
            "a checkpoint of %s was cut off, as when power fails: its blocks at %s are as they "
            "were before it, and their checksums are made to fit",
            database,
            ", ".join(map(str, sealed)),
        )
    return sealed


def _put_aside_unless_whole(database: Path) -> None:
    """Rename a file that holds no block of data, and of whose headers parts never came to the disk.

    DuckDB writes three headers when it makes a file, and a write-ahead log before anything else.
    """
    with database.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        first = file.read(_SECTOR_BYTES)
        if any(first) and first[8:12] != b"DUCK":
            return  # it is something else
        try:
            duckdb.connect(str(database.absolute()), read_only=True).close()
        except duckdb.Error:
            aside = database.with_name(f"{database.name}.unfinished-{_now()}")
            database.rename(aside)
            _logger.warning(
                "%s was never made whole, as when power fails at the first start: nothing was "
                "stored in it, and it is kept as %s",
                database,
                aside.name,
            )


def _now() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"


def _cut(wal: Path, whole_bytes: int) -> None:
    """Cut a transaction off that never came to the disk whole; its bytes are kept beside."""
    kept = wal.with_name(f"{wal.name}.cut-{_now()}")
    with kept.open("xb") as file:
        file.write(wal.read_bytes()[whole_bytes:])
        file.flush()
        os.fsync(file.fileno())
    with wal.open("r+b") as file:
        file.truncate(whole_bytes)
        os.fsync(file.fileno())
    _logger.warning(
        "%s ended in a transaction of which parts never came to the disk, as when power fails: "
        "it was not acknowledged, and is cut off and kept in %s",
        wal,
        kept.name,
    )


def _find_torn(database: Path) -> int | None:
    """Return where a block of metadata stands whose checksum does not fit, or None."""
    try:
        with duckdb.connect(str(database.absolute()), read_only=True) as connection:
            found = connection.execute("PRAGMA metadata_info").fetchall()
    except duckdb.Error as error:
        # To open a file, DuckDB reads metadata alone.
        match = _AT.search(str(error))
        return int(match[1]) if match else None
    with database.open("rb") as file:
        for block, *_ in found:
            at = _FIRST_BLOCK + block * _BLOCK_BYTES
            file.seek(at)
            content = file.read(_BLOCK_BYTES)
            if content[:_CHECKSUM_BYTES] != _sum(content):
                return int(at)
    return None


def _seal(database: Path, at: int) -> None:
    with database.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.seek(at)
        total = _sum(file.read(_BLOCK_BYTES))
        file.seek(at)
        file.write(total)
        file.flush()
        os.fsync(file.fileno())


def _sum(block: bytes) -> bytes:
    return checksum(block[_CHECKSUM_BYTES:]).to_bytes(_CHECKSUM_BYTES, "little")
