"""Which process has the log open, as DuckDB and the system say."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

_HELD = re.compile(r"lock on file.*?\(PID (\d+)\)", re.DOTALL)


@dataclass(frozen=True)
class Holder:
    """A process, and its command line where this user may read it."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"PID {self.pid}" + (f": {self.command}" if self.command else "")


def holder_of(error: Exception) -> Holder | None:
    """Return who holds the file that could not be opened; None where nobody does."""
    found = _HELD.search(str(error))
    if not found:
        return None
    try:
        arguments = Path(f"/proc/{found[1]}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return Holder(int(found[1]), "")
    command = shlex.join(each.decode("utf-8", "replace") for each in arguments)
    return Holder(int(found[1]), command)
