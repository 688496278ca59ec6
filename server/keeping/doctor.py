"""Look at a log without changing a byte of it, and say what is wrong and what can be saved."""

import os
import shutil
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import duckdb

from server.keeping.copying import count_rows
from server.keeping.damage import find_unreadable
from server.keeping.file_format import FileLook, look_at_file
from server.keeping.holder import holder_of
from server.keeping.space import space_of, wal_of, wal_size
from server.storage.database import unusable
from server.storage.write_ahead import WalLook, look_at_wal

# Beneath this a commit may fail soon: a checkpoint writes before it frees. In bytes.
_LITTLE_ROOM = 64 * 2**20
_SAVE = "python -m server doctor --salvage DIR writes what can be read into a new log"


class State(IntEnum):
    """What a look came to, and the exit code that says so."""

    FINE = 0
    OUT_OF_REACH = 1
    DAMAGED = 3
    UNREADABLE = 4


class Doctor:
    """One look at one log; `state` is what it came to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = State.FINE
        self.is_held = False

    def look(self) -> Iterator[str]:
        """Yield what there is to say, line by line; nothing is changed."""
        if told := self._why_out_of_reach():
            self.state = State.OUT_OF_REACH
            yield told
            return
        yield from self._say_sizes()
        try:
            connection = duckdb.connect(str(self.path.absolute()), read_only=True)
        except (duckdb.Error, RuntimeError) as error:
            if holder := holder_of(error):
                self.is_held = True
                yield f"held by {holder}"
                return
            yield from self._look_at_bytes(error)
            return
        with connection:
            yield "held by nobody"
            yield from self._say_contents(connection)
        yield from self._look_at_bytes(None)

    def _worse(self, state: State) -> None:
        self.state = max(self.state, state)

    def _why_out_of_reach(self) -> str | None:
        try:
            return self._why_unreadable()
        except PermissionError as error:  # of a folder on the way
            return f"{error.filename}: this user may not read it: change that, or ask as another"

    def _why_unreadable(self) -> str | None:
        if not self.path.parent.is_dir():
            return f"{self.path.parent}: no such folder; a server that starts makes it"
        if not self.path.exists():
            return f"{self.path}: no such file; a server that starts makes it"
        if not self.path.is_file():
            return f"{self.path}: this is no file: set SEXTANT_DATABASE to one"
        for each in (self.path, wal_of(self.path)):
            if each.exists() and not os.access(each, os.R_OK, effective_ids=True):
                return f"{each}: this user may not read it: change that, or ask as another"
        return None

    def _say_sizes(self) -> Iterator[str]:
        free = shutil.disk_usage(self.path.absolute().parent).free
        yield (
            f"{self.path}: {self.path.stat().st_size / 1e6:,.1f} MB, and "
            f"{wal_size(self.path) / 1e6:,.1f} MB in its write-ahead log; "
            f"{free / 1e6:,.0f} MB are free on its disk"
        )
        if free < _LITTLE_ROOM:
            self._worse(State.OUT_OF_REACH)
            yield "the disk is full, or nearly: nothing is lost, and nothing can be stored"
        if not os.access(self.path, os.W_OK, effective_ids=True):
            self._worse(State.OUT_OF_REACH)
            yield "this user may not write to it: a server of this user cannot start"

    def _say_contents(self, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
        ((tags,),) = connection.execute(
            "SELECT tags FROM duckdb_databases() WHERE database_name = current_database()"
        ).fetchall()
        version = tags["storage_version"]
        yield f"storage version {version}; DuckDB {duckdb.__version__} reads it here"
        yield str(space_of(connection, self.path))
        for unreadable in find_unreadable(connection):
            self._worse(State.DAMAGED)
            yield str(unreadable)
        for table, rows in count_rows(connection).items():
            yield f"table {table}: {rows:,} rows"
        try:
            for model, version, rows, first, last in connection.execute(
                "SELECT model_name, model_version, count(*), min(predicted_at), max(predicted_at) "
                "FROM predictions GROUP BY ALL ORDER BY max(predicted_at)"
            ).fetchall():
                yield f"model {model} {version}: {rows:,} predictions, {first} to {last} UTC"
        except (duckdb.Error, RuntimeError) as error:
            self._worse(State.DAMAGED)
            yield f"the view predictions cannot be read ({str(error).partition(chr(10))[0]})"

    def _look_at_bytes(self, error: Exception | None) -> Iterator[str]:
        look, wal = look_at_file(self.path), look_at_wal(wal_of(self.path))
        yield f"written by DuckDB {look.library_version}, storage version {look.storage_version}"
        if error and ("storage version number" in str(error) or not look.is_duckdb):
            self._worse(State.OUT_OF_REACH)
            yield str(unusable(self.path, error))
            if not any(look.are_headers_whole[1:]):
                return
        yield from self._say_damage(look, wal)
        if error and self.state is State.FINE:
            self._worse(State.UNREADABLE)
            yield f"DuckDB cannot open it: {str(error).partition(chr(10))[0]}"
        yield "nothing is wrong" if self.state is State.FINE else _SAVE

    def _say_damage(self, look: FileLook, wal: WalLook) -> Iterator[str]:
        names = ("main header", "first checkpoint header", "second checkpoint header")
        for name, is_whole in zip(names, look.are_headers_whole, strict=True):
            if not is_whole:
                self._worse(State.DAMAGED)
                yield f"the {name} is damaged: DuckDB opens no such file; a copy can be mended"
        if look.is_cut:
            self._worse(State.DAMAGED)
            yield "the file ends within a block: it was cut"
        if look.damaged_blocks:
            shown = ", ".join(map(str, look.damaged_blocks[:20]))
            yield (
                f"{len(look.damaged_blocks):,} of {look.n_blocks:,} blocks are not as they were "
                f"written ({shown}); one that nothing above names holds no row"
            )
        if wal.is_torn:
            yield (
                f"the write-ahead log ends in {wal.size - wal.whole_bytes:,} bytes of no "
                f"transaction, behind {wal.transactions:,} whole ones: nothing acknowledged is lost"
            )
        if wal.is_damaged:
            self._worse(State.DAMAGED)
            yield (
                f"the write-ahead log is damaged at byte {wal.whole_bytes:,}, behind "
                f"{wal.transactions:,} whole transactions; committed ones stand behind that: "
                "never open it with DuckDB itself, which drops them"
            )
