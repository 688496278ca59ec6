"""Put Parquet files of one schema into one file: their bytes as they are, under a new index.

Encoding millions of rows a second time would cost as much as writing the parts.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from server.scoring.thrift import BINARY, I64, LIST, STRUCT, Struct, read_struct, write_struct

# The fields of Parquet's index by their numbers, from its parquet.thrift.
_SCHEMA, _ROWS, _GROUPS, _SAID = 2, 3, 4, 5
_COLUMNS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7
_CHUNK_OFFSET, _CHUNK, _OFFSET_INDEX, _COLUMN_INDEX = 2, 3, 4, 6
_DATA, _INDEX, _DICTIONARY, _BLOOM = 9, 10, 11, 14
_MAGIC = b"PAR1"
# Bytes that are copied at once.
_PIECE = 1 << 20


def concatenate(parts: Sequence[Path], to: BinaryIO, said: Mapping[str, str]) -> None:
    """Write the rows of all parts, in their order, with `said` among the metadata.

    Raises
    ------
    ValueError
        If the parts have not one schema.
    """
    to.write(_MAGIC)
    whole: Struct = {}
    groups: list[Struct] = []
    for part in parts:
        with part.open("rb") as file:
            index, end = _read_index(file)
            if whole and index[_SCHEMA] != whole[_SCHEMA]:
                raise ValueError(f"{part}: has another schema than the parts before it")
            whole = whole or index
            for group in index[_GROUPS][1][1]:
                _move(group, to.tell() - len(_MAGIC), len(groups))
                groups.append(group)
            file.seek(len(_MAGIC))
            _copy(file, to, end - len(_MAGIC))
    whole[_ROWS] = (I64, sum(group[3][1] for group in groups))
    whole[_GROUPS] = (LIST, (STRUCT, groups))
    pairs = [{1: (BINARY, key.encode()), 2: (BINARY, text.encode())} for key, text in said.items()]
    if pairs:
        whole[_SAID] = (LIST, (STRUCT, pairs))
    footer = bytearray()
    write_struct(whole, footer)
    to.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)


def _read_index(file: BinaryIO) -> tuple[Struct, int]:
    """Return the index of a file, and where its rows end."""
    end = file.seek(-8, os.SEEK_END)
    length = int.from_bytes(file.read(4), "little")
    file.seek(end - length)
    index, _ = read_struct(file.read(length))
    return index, end - length


def _move(group: Struct, by: int, ordinal: int) -> None:
    """Move all that says where a row group lies."""
    _add(group, (_GROUP_OFFSET,), by)
    if _ORDINAL in group:
        group[_ORDINAL] = (group[_ORDINAL][0], min(ordinal, 2**15 - 1))
    for chunk in group[_COLUMNS][1][1]:
        _add(chunk, (_CHUNK_OFFSET, _OFFSET_INDEX, _COLUMN_INDEX), by)
        _add(chunk[_CHUNK][1], (_DATA, _INDEX, _DICTIONARY, _BLOOM), by)


def _add(fields: Struct, numbers: Sequence[int], by: int) -> None:
    for number in numbers:
        kind, value = fields.get(number, (0, 0))
        if value:  # nothing lies at 0: there is the magic
            fields[number] = (kind, value + by)


def _copy(file: BinaryIO, to: BinaryIO, length: int) -> None:
    while length > 0 and (piece := file.read(min(_PIECE, length))):
        to.write(piece)
        length -= len(piece)
