"""Mend the headers and the write-ahead log of a copy as far as what is left of them says how."""

import struct
from pathlib import Path

from server.keeping.file_format import PAGE, is_whole
from server.keeping.space import wal_of
from server.storage.checksums import checksum
from server.storage.write_ahead import look_at_wal

_MAGIC = b"DUCK"


def mend_headers(copy: Path, *, are_trusted: bool) -> list[str]:
    """Make DuckDB take the headers of `copy`, and say what was done to each.

    What a checkpoint's header says may be whole though a byte behind it is not: where it is
    trusted, its checksum is made to fit; where it is not, the header of the checkpoint before, or
    of this one if that is the whole one, takes its place.
    """
    content = bytearray(copy.read_bytes()[: 3 * PAGE].ljust(3 * PAGE, b"\0"))
    told = []
    pages = [bytes(content[start : start + PAGE]) for start in (0, PAGE, 2 * PAGE)]
    if not is_whole(pages[0]):
        content[8:12] = _MAGIC
        _seal(content, 0)
        told.append("the main header was damaged: its checksum is made to fit")
    whole = [number for number in (1, 2) if is_whole(pages[number])]
    if are_trusted or not whole:
        for number in {1, 2} - {*whole}:
            _seal(content, number)
            told.append("a checkpoint header was damaged: its checksum is made to fit")
    elif len(whole) == 1:
        (good,) = whole
        other = 3 - good
        (iteration,) = struct.unpack_from("<Q", pages[good], 8)
        content[other * PAGE : (other + 1) * PAGE] = pages[good]
        # DuckDB takes the higher one; both say the same.
        struct.pack_into("<Q", content, other * PAGE + 8, max(iteration - 1, 0))
        _seal(content, other)
        told.append("one of two checkpoint headers was damaged: the other is used")
    if told:
        with copy.open("r+b") as file:
            file.write(content)
    return told


def mend_wal(copy: Path) -> list[str]:
    """Leave whole transactions in the write-ahead log of `copy`, and say what is not in it."""
    wal = wal_of(copy)
    look = look_at_wal(wal)
    if not (look.is_damaged or look.is_unfinished):
        return []
    content = wal.read_bytes()
    if not look.head_bytes:
        wal.unlink()
        return ["the head of the write-ahead log is damaged: nothing in it can be read"]
    behind = look.behind if not look.has_moves_behind else []
    wal.write_bytes(
        content[: look.whole_bytes] + b"".join(content[start:end] for start, end in behind)
    )
    kept = "those behind are kept" if behind else "those behind change rows by place: left out"
    return [
        f"the write-ahead log is damaged at byte {look.whole_bytes:,}: {look.transactions:,} "
        f"transactions before it are kept, what stands at the damage is lost, {kept}"
    ]


def _seal(content: bytearray, page: int) -> None:
    start = page * PAGE
    total = checksum(bytes(content[start + 8 : start + PAGE]))
    struct.pack_into("<Q", content, start, total)
