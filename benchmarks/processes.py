"""What processes use: one by its id, or all of a server by a variable that each inherits."""

import contextlib
import os
import re
import signal
import time
from pathlib import Path

VARIABLE = "SEXTANT_PEER"
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# Some take workers and helpers down with them, one after the other; some do not end at all.
_STOP_TIMEOUT_S = 6.0


class Processes:
    """The processes that have `token` in their environment, wherever they hang in the tree.

    A server that puts its parts into sessions of their own is counted, and ended, as a whole.
    """

    def __init__(self, token: str) -> None:
        self._entry = f"{VARIABLE}={token}".encode()

    def ids(self) -> list[int]:
        """Return the ids of those that live."""
        return self._living()

    def cpu_s(self) -> float:
        """Return the CPU that they have used, and those that have ended below them."""
        return sum(map(cpu_s, self._living()))

    def resident_mb(self) -> float:
        """Return what they hold in memory, in MB of 10^6 bytes; what two share counts twice."""
        total = 0.0
        for pid in self._living():
            # One may end in between.
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{pid}/status").read_text()
                total += sum(map(int, re.findall(r"VmRSS:\s+(\d+) kB", status))) * 1024 / 1e6
        return total

    def end(self) -> None:
        """Ask all to end, the first of them first, and make those end that do not."""
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        for pid in self.ids()[:1]:
            _send(pid, signal.SIGTERM)
        while self.ids() and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in self.ids():
            _send(pid, signal.SIGKILL)

    def _living(self) -> list[int]:
        """Return those with the token, and all below: some overwrite what they inherited."""
        found, parents = [], {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parents[int(folder.name)] = int(_fields(folder)[1])
                if self._entry in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            # It has ended, or belongs to somebody else.
            except OSError:
                continue
        for parent in found:
            found += [pid for pid in parents if parents[pid] == parent and pid not in found]
        return sorted(found)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def cpu_s(pid: int) -> float:
    """Return the CPU of a process and of the children it waited for; 0 if there is none."""
    try:
        fields = _fields(Path(f"/proc/{pid}"))
    except OSError:
        return 0.0
    # User and system time, in ticks.
    return sum(map(int, fields[11:15])) / _TICKS_PER_S


def _fields(folder: Path) -> list[str]:
    """Return the fields of proc(5) from the third on; the name before them may hold spaces."""
    return (folder / "stat").read_text().rpartition(")")[2].split()
