"""Build shim.c, put it between a server and its files, and turn its faults on and off."""

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

from benchmarks.faults.trial import NotTried

_SOURCE = Path(__file__).with_name("shim.c")
_NAMES = ("clock_offset_ns", "sync_delay_us", "failing_writes", "failing_syncs", "failed")
_NUMBER = struct.Struct("<q")
# How many calls fail where all of them are to.
ALL = 1 << 40


class Shim:
    """What stands between one server and its log, from the server's start on.

    Parameters
    ----------
    folder : Path
        Where it is built and keeps its files.
    database : Path
        Files whose path begins with this one are watched.
    is_journalled : bool
        Whether every change and every sync is written down.

    Raises
    ------
    NotTried
        Without a C compiler.
    """

    def __init__(self, folder: Path, database: Path, *, is_journalled: bool = False) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise NotTried("there is no C compiler")
        library, control = folder / "shim.so", folder / "shim.control"
        self.journal = folder / "shim.journal"
        build = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(library)]
        subprocess.run([*build, str(_SOURCE), "-ldl", "-lpthread"], check=True)
        control.write_bytes(bytes(_NUMBER.size * len(_NAMES)))
        with control.open("r+b") as file:
            self._mapped = mmap.mmap(file.fileno(), 0)
        self.settings = {
            "LD_PRELOAD": str(library),
            "FAULT_LOG": str(database),
            "FAULT_CONTROL": str(control),
        }
        if is_journalled:
            self.journal.touch()
            self.settings["FAULT_JOURNAL"] = str(self.journal)

    def set(self, name: str, value: int) -> None:
        """Begin a fault, or end it with 0."""
        _NUMBER.pack_into(self._mapped, _NUMBER.size * _NAMES.index(name), value)

    def get(self, name: str) -> int:
        """Return one of the numbers as it is now."""
        number: int = _NUMBER.unpack_from(self._mapped, _NUMBER.size * _NAMES.index(name))[0]
        return number

    def journal_size(self) -> int:
        """Return how much of the journal is written."""
        return self.journal.stat().st_size
