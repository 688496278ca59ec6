"""Power that fails: the log as the disk may hold it then, opened by a server.

A server writes under load, is stopped and started, and some of its syncs fail; shim.c writes down
all that it does to its log. Afterwards, at moments of chance and around every sync, the files are
made as the disk may hold them (disk.py says what that is), and must have every row that was
acknowledged by then. Each is opened by DuckDB, and some of them by a server.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import duckdb

from benchmarks.faults.disk import KINDS, Disk
from benchmarks.faults.journal import Kind, read_journal
from benchmarks.faults.server import Server
from benchmarks.faults.shim import Shim
from benchmarks.faults.trial import Trial

# Of the states, so many are opened by DuckDB for one that a server opens, which takes a second.
_ROUNDS_A_SERVER = 10
_SESSION_S = 0.6
# Every so many states one session more is written down.
_ROUNDS_A_SESSION = 500


def lose_power(trial: Trial) -> None:
    """Make and open the state after a crash, `trial.rounds` times."""
    server = trial.server()
    shim = Shim(trial.folder, server.database, is_journalled=True)
    server.settings |= shim.settings
    trial.ledger.journal_size = shim.journal_size
    for number in range(2 + trial.rounds // _ROUNDS_A_SESSION):
        _write(trial, server, shim, is_failing=number % 2 == 1)
    chance = Random(3)  # noqa: S311  # no secrets
    folder = trial.folder / "after"
    after = trial.server(folder)
    for number, (at, where, files) in enumerate(_crashes(trial, shim, chance)):
        _lay(folder, files, server.database, after.database)
        # What DuckDB opens as it is, a server does.
        is_served = number % _ROUNDS_A_SERVER == 0 or not _opens(after.database)
        if is_served and (words := after.refuses()):
            trial.ledger.complain(f"{where}: it cannot be opened: {words}")
            continue
        if is_served:
            trial.stop(after)
        trial.hold(after.database, trial.ledger.until(at), f"{where}: ")


def _opens(database: Path) -> bool:
    try:
        duckdb.connect(str(database)).close()
    except duckdb.Error:
        return False
    return True


def _write(trial: Trial, server: Server, shim: Shim, *, is_failing: bool) -> None:
    """Write for a while; the stop folds the write-ahead log into the database."""
    server.start()
    with trial.asking(server, count=4):
        time.sleep(_SESSION_S / 2)
        if is_failing:
            shim.set("failing_syncs", 2)
            trial.time_recovery(server)
        time.sleep(_SESSION_S / 2)
    trial.stop(server)


def _crashes(
    trial: Trial, shim: Shim, chance: Random
) -> Iterator[tuple[int, str, dict[str, bytes]]]:
    """Yield how long the journal was, what is told of the crash, and the files after it."""
    moments = _moments(shim.journal)
    chosen = sorted(chance.choices(moments, k=trial.rounds))
    disk, number, end = Disk(), 0, 0
    for place, done in enumerate(read_journal(shim.journal)):
        while number < len(chosen) and chosen[number] == place:
            kind = KINDS[number % len(KINDS)]
            where = f"before {done.kind.name} {Path(done.path).name}, at {place}, with {kind}"
            yield end, where, disk.after_crash(kind, chance)
            number += 1
        disk.follow(done)
        end = done.end


def _moments(journal: Path) -> list[int]:
    """Return the places before which power may fail: before all but most of the plain writes."""
    return [
        place
        for place, done in enumerate(read_journal(journal))
        if place and (done.kind is not Kind.WRITTEN or place % 4 == 0)
    ]


def _lay(folder: Path, files: dict[str, bytes], written: Path, read: Path) -> None:
    """Write the files into an empty folder, under the names of the log that is read there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, content in files.items():
        end = path.removeprefix(str(written))
        laid = read.with_name(read.name + end)
        laid.write_bytes(content)
        os.utime(laid, (0, 0))  # power that fails takes its time to come back
