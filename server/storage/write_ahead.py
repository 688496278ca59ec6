"""Read DuckDB's write-ahead log: how much of it is whole, and what stands behind what is not.

DuckDB takes a log whose damage looks like a torn end for one, and removes what stands behind it,
however many acknowledged rows that are. So a server looks before it opens.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from server.storage.checksums import checksum

# The entry that ends a transaction: its size, its checksum and five bytes, the same each time.
_END = b"\x64\x00\x64\xff\xff"
END_OF_TRANSACTION = struct.pack("<QQ", len(_END), checksum(_END)) + _END
_ENTRY_HEAD = 16
# The first fields of the head: its kind, 98, and its version, of which entries of this shape are.
_HEAD = b"\x64\x00\x62\x65\x00\x02"
# Disks write whole sectors; one that never came to them reads as zeros.
_SECTOR = 512
# Fewer zeros than this may be part of a row.
_LEAST_HOLE = 16
# The begin of the entry that says where a checkpoint puts its metadata, and what it and the end of
# its transaction take at most.
_CHECKPOINT = b"\x64\x00\x63\x65\x00"
_LAST_BYTES = 80
# Fields of entries that change rows by their place: 27 removes, 28 updates.
_BY_PLACE = (27, 28)


@dataclass(frozen=True)
class WalLook:
    """What a write-ahead log holds, up to where it is whole and behind that.

    Attributes
    ----------
    whole_bytes : int
        Up to the end of the last whole transaction before any damage.
    behind : list of tuple of int
        Where whole transactions begin and end that stand behind the damage; DuckDB loses them.
    is_unfinished : bool
        Whether the damage is a last transaction of which sectors are missing, as power that fails
        during its commit leaves it: it was never synced, so nothing of it was acknowledged.
    ends_in_checkpoint : bool
        Whether its last whole transaction says that a checkpoint begins, which may be half done.
    """

    size: int
    head_bytes: int
    transactions: int
    whole_bytes: int
    behind: list[tuple[int, int]]
    has_moves_behind: bool
    is_unfinished: bool
    ends_in_checkpoint: bool

    @property
    def is_torn(self) -> bool:
        """Whether its end belongs to no transaction: nothing acknowledged is in that."""
        return self.whole_bytes < self.size and not self.is_damaged

    @property
    def is_damaged(self) -> bool:
        """Whether transactions that were committed stand behind the damage."""
        return bool(self.behind) and not self.is_unfinished


def wals_of(database: Path) -> list[Path]:
    """Return the logs that can stand beside a database; the second is that of a checkpoint."""
    return [database.with_name(f"{database.name}{end}") for end in (".wal", ".wal.checkpoint")]


def look_at_wal(path: Path) -> WalLook:
    """Read the log at `path`; one that is missing or empty is whole."""
    content = path.read_bytes() if path.exists() else b""
    head = _head_bytes(content)
    whole, transactions, _ = _follow(content, head)
    behind, has_moves = [], False
    at = whole
    # The first end behind belongs to what is damaged; whole transactions begin after it.
    while (end := content.find(END_OF_TRANSACTION, at)) >= 0:
        start = end + len(END_OF_TRANSACTION)
        at, _, moves = _follow(content, start)
        behind.append((start, at))
        has_moves = has_moves or moves
        at = max(at, start)
    is_unfinished = all(start == end for start, end in behind) and _has_hole(content, whole)
    ends_in_checkpoint = (
        content[:whole].endswith(END_OF_TRANSACTION)
        and _CHECKPOINT in (content[max(whole - _LAST_BYTES, 0) : whole])
    )
    return WalLook(
        len(content),
        head,
        transactions,
        whole,
        behind,
        has_moves,
        is_unfinished,
        ends_in_checkpoint,
    )


def _has_hole(content: bytes, start: int) -> bool:
    """Tell whether a sector behind `start`, or the part of one, was never written."""
    for at in range(start // _SECTOR * _SECTOR, len(content), _SECTOR):
        part = content[max(at, start) : at + _SECTOR]
        if len(part) >= _LEAST_HOLE and not any(part):
            return True
    return False


def _follow(content: bytes, start: int) -> tuple[int, int, bool]:
    """Return the end of the last whole transaction from `start` on, and how many there are."""
    at, whole, transactions, has_moves, moves = start, start, 0, False, False
    while at + _ENTRY_HEAD <= len(content):
        size, written = struct.unpack_from("<QQ", content, at)
        body = content[at + _ENTRY_HEAD : at + _ENTRY_HEAD + size]
        if not 0 < size == len(body) or checksum(body) != written:
            break
        at += _ENTRY_HEAD + size
        moves = moves or body[2] in _BY_PLACE
        if body == _END:
            whole, transactions, has_moves = at, transactions + 1, moves
    return whole, transactions, has_moves


def _head_bytes(content: bytes) -> int:
    """Return the length of the head, which is written without size and checksum; 0 if damaged."""
    if not content.startswith(_HEAD):
        return 0
    at = len(_HEAD)
    for field in (b"\x66\x00", b"\x67\x00"):
        if content[at : at + 2] != field:
            continue
        length, at = _number(content, at + 2)
        if field == b"\x66\x00":  # the database's identifier, a number a byte
            for _ in range(length):
                _, at = _number(content, at)
    return at + 2 if content[at : at + 2] == b"\xff\xff" else 0


def _number(content: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where it ends."""
    value = shift = 0
    while at < len(content):
        value |= (content[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if content[at - 1] < 128:
            break
    return value, at
