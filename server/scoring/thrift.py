"""Read and write the structs of Thrift's compact protocol, in which Parquet keeps its index.

A struct is a dict of its field numbers to (type, value); a list is (type of its elements, list).

References
----------
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from typing import Any

_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET = range(11)
_STRUCT = 12
I64, BINARY, LIST, STRUCT = _I64, _BINARY, _LIST, _STRUCT
Struct = dict[int, tuple[int, Any]]


def read_struct(data: bytes, at: int = 0) -> tuple[Struct, int]:
    """Return the struct that begins at `at`, and where it ends.

    Raises
    ------
    ValueError
        If it holds what Parquet does not use.
    """
    fields: Struct = {}
    number = 0
    while kind := data[at]:
        step, kind, at = kind >> 4, kind & 15, at + 1
        if step:
            number += step
        else:
            number, at = _read_zigzag(data, at)
        if kind in (_TRUE, _FALSE):
            fields[number] = (kind, None)
        else:
            value, at = _read(data, at, kind)
            fields[number] = (kind, value)
    return fields, at + 1


def write_struct(fields: Struct, out: bytearray) -> None:
    """Append a struct to `out`."""
    last = 0
    for number, (kind, value) in sorted(fields.items()):
        step = number - last
        if 0 < step < 16:
            out.append(step << 4 | kind)
        else:
            out.append(kind)
            _write_varint(_to_zigzag(number), out)
        last = number
        if kind not in (_TRUE, _FALSE):
            _write(kind, value, out)
    out.append(_STOP)


def _read(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (_I16, _I32, _I64):
        return _read_zigzag(data, at)
    if kind == _STRUCT:
        return read_struct(data, at)
    if kind == _BINARY:
        length, at = _read_varint(data, at)
        return data[at : at + length], at + length
    if kind in (_LIST, _SET):
        return _read_list(data, at)
    if kind in (_BYTE, _DOUBLE, _TRUE, _FALSE):  # a truth value in a list is a byte
        length = 8 if kind == _DOUBLE else 1
        return data[at : at + length], at + length
    raise ValueError(f"type {kind} of Thrift's is not used by Parquet")


def _read_list(data: bytes, at: int) -> tuple[tuple[int, list[Any]], int]:
    length, kind, at = data[at] >> 4, data[at] & 15, at + 1
    if length == 15:
        length, at = _read_varint(data, at)
    values = []
    for _ in range(length):
        value, at = _read(data, at, kind)
        values.append(value)
    return (kind, values), at


def _write(kind: int, value: Any, out: bytearray) -> None:
    if kind in (_I16, _I32, _I64):
        _write_varint(_to_zigzag(value), out)
    elif kind == _STRUCT:
        write_struct(value, out)
    elif kind == _BINARY:
        _write_varint(len(value), out)
        out += value
    elif kind in (_LIST, _SET):
        of, values = value
        out.append(min(len(values), 15) << 4 | of)
        if len(values) >= 15:
            _write_varint(len(values), out)
        for each in values:
            _write(of, each, out)
    else:
        out += value


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte, at = data[at], at + 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _write_varint(value: int, out: bytearray) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _read_zigzag(data: bytes, at: int) -> tuple[int, int]:
    value, at = _read_varint(data, at)
    return value >> 1 ^ -(value & 1), at


def _to_zigzag(value: int) -> int:
    return value << 1 ^ value >> 63
