"""DuckDB's checksum, which stands before each block, header and entry of its write-ahead log."""

import numpy as np

_WORD = 0xBF58476D1CE4E5B9
_TAIL = 0xC6A4A7935BD1E995
_SEED = 0xE17A1465
_START = 5381
_MASK = 2**64 - 1


def checksum(content: bytes) -> int:
    """Return the 64 bits that DuckDB writes before `content`.

    References
    ----------
    DuckDB's checksum.cpp: an exclusive or of all multiplied words, and of a MurmurHash64A of what
    is left.
    """
    n_words = len(content) // 8
    words = np.frombuffer(content, "<u8", n_words)
    total = _START ^ int(np.bitwise_xor.reduce(words * np.uint64(_WORD), initial=np.uint64(0)))
    rest = content[8 * n_words :]
    return total ^ _of_rest(rest) if rest else total


def _of_rest(rest: bytes) -> int:
    mixed = (_SEED ^ len(rest) * _TAIL) & _MASK
    mixed = (mixed ^ int.from_bytes(rest, "little")) * _TAIL & _MASK
    mixed = (mixed ^ mixed >> 47) * _TAIL & _MASK
    return mixed ^ mixed >> 47
