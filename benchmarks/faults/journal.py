"""Read the journal that shim.c writes: all that was done to a log, in order."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

_HEAD = struct.Struct("<4q")


class Kind(IntEnum):
    """What was done, as shim.c writes it down."""

    CREATED = 1
    WRITTEN = 2
    SYNCED = 3
    SYNC_FAILED = 4
    CUT = 5
    REMOVED = 6
    RENAMED = 7


@dataclass(frozen=True)
class Done:
    """One thing that was done, and how long the journal was then."""

    kind: Kind
    path: str
    offset: int
    data: bytes
    end: int


def read_journal(path: Path) -> Iterator[Done]:
    """Yield what was done, in order."""
    end = 0
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            kind, path_length, offset, size = _HEAD.unpack(head)
            name, data = file.read(path_length).decode(), file.read(size)
            end += _HEAD.size + path_length + size
            yield Done(Kind(kind), name, offset, data, end)
