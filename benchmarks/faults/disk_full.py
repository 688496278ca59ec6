"""A disk that is full and is freed again, under load: while the log is written, or folded."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.faults.server import wait_for
from benchmarks.faults.trial import NotTried, Trial

_MB = 1 << 20
# Left free at the begin of a round: the write-ahead log ends in the first, a checkpoint in others.
_ROOM_MB = (3, 12, 20, 28)
_FULL_TIMEOUT_S = 60.0
# It stays full for a while: looking whether it works again must not make it worse.
_STAYS_FULL_S = 1.5


def fill(trial: Trial) -> None:
    """Fill the disk and free it, `trial.rounds` times."""
    with _disk(trial.folder / "disk") as folder:
        server = trial.server(folder)
        server.output = trial.folder / "server-on-disk.log"
        server.start()
        with trial.asking(server, sizes=(1, 1, 1, 20, 600, 5_000)):
            for number in range(trial.rounds):
                refused = trial.ledger.refused[503]
                _resize(folder, _used(folder) + _ROOM_MB[number % len(_ROOM_MB)] * _MB)
                is_full = wait_for(
                    lambda refused=refused: trial.ledger.refused[503] > refused,
                    timeout_s=_FULL_TIMEOUT_S,
                )
                trial.require(is_full, "the disk was never full")
                time.sleep(_STAYS_FULL_S)
                trial.check_readiness(server)
                trial.require(server.ask("/health/live")[0] == 200, "a full disk ends it")
                _resize(folder, _used(folder) + 500 * _MB)
                trial.time_recovery(server)
        trial.check_retries(server)
        trial.stop(server)
        (trial.folder / server.database.name).write_bytes(server.database.read_bytes())
    server.database = trial.folder / server.database.name


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=500m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        raise NotTried("a small disk (tmpfs) cannot be mounted by this user")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607  # from the PATH


def _used(folder: Path) -> int:
    disk = os.statvfs(folder)
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize


def _resize(folder: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)  # noqa: S607  # from the PATH
