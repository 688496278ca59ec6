"""Read a DuckDB file without DuckDB: its headers, and whether each block is as it was written."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from server.storage.checksums import checksum

# One main header, then two that are written in turn, each a page of its own.
PAGE = 4096
FIRST_BLOCK = 3 * PAGE
_MAGIC = b"DUCK"
_DEFAULT_BLOCK = 262_144


@dataclass(frozen=True)
class FileLook:
    """What the bytes of a file say of themselves.

    Attributes
    ----------
    storage_version : int
        The number in the main header; 67 is that of DuckDB 1.4.
    are_headers_whole : tuple of bool
        The main header, and the two that are written in turn.
    damaged_blocks : list of int
        Ids of blocks whose checksum does not fit; one that is free harms nobody.
    """

    is_duckdb: bool
    storage_version: int
    library_version: str
    are_headers_whole: tuple[bool, bool, bool]
    block_bytes: int
    n_blocks: int
    damaged_blocks: list[int]
    # Bytes that a block is short of, at the end: the file was cut.
    is_cut: bool


def look_at_file(path: Path) -> FileLook:
    """Read every byte of a file that no server has open in this process."""
    with path.open("rb") as file:
        pages = [file.read(PAGE) for _ in range(3)]
        main = pages[0].ljust(PAGE, b"\0")
        whole = [len(page) == PAGE and is_whole(page) for page in pages]
        block_bytes = _block_bytes([page for page, ok in zip(pages, whole, strict=True) if ok][-1:])
        n_blocks, left = divmod(max(path.stat().st_size - FIRST_BLOCK, 0), block_bytes)
        damaged = _damaged_blocks(file, block_bytes, n_blocks)
    (storage_version,) = struct.unpack_from("<Q", main, 12)
    return FileLook(
        is_duckdb=main[8:12] == _MAGIC,
        storage_version=storage_version,
        library_version=main[52:84].split(b"\0")[0].decode("ascii", "replace"),
        are_headers_whole=(whole[0], whole[1], whole[2]),
        block_bytes=block_bytes,
        n_blocks=n_blocks,
        damaged_blocks=damaged,
        is_cut=bool(left) or min(map(len, pages)) < PAGE,
    )


def is_whole(part: bytes) -> bool:
    """Say whether `part` is as it was written: its first eight bytes are the sum of the others."""
    (written,) = struct.unpack_from("<Q", part)
    return bool(written == checksum(part[8:]))


def _block_bytes(headers: list[bytes]) -> int:
    if not headers or headers[0][8:12] == _MAGIC:
        return _DEFAULT_BLOCK
    (size,) = struct.unpack_from("<Q", headers[0], 40)
    return size if PAGE < size <= _DEFAULT_BLOCK else _DEFAULT_BLOCK


def _damaged_blocks(file: BinaryIO, block_bytes: int, n_blocks: int) -> list[int]:
    file.seek(FIRST_BLOCK)
    return [number for number in range(n_blocks) if not is_whole(file.read(block_bytes))]
