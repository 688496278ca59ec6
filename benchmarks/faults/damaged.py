"""A log with bytes that are not what was written: in a header, a block or the write-ahead log.

A server that starts on it has every acknowledged row, or its queries fail where they cannot be
read; one that does not start says why. With the bytes as they were, nothing is lost.
"""

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import duckdb

from benchmarks.faults.server import Server
from benchmarks.faults.trial import Trial

# DuckDB's three headers, each of a page, and blocks of a quarter of a megabyte behind them.
_PAGE = 4096
_LENGTHS = (1, 8, 100)
_WRITES_S = 1.0


def damage(trial: Trial) -> None:
    """Damage one place and start, `trial.rounds` times."""
    chance = Random(7)  # noqa: S311  # no secrets
    server = trial.server()
    server.start()
    with trial.asking(server, may_break=True):
        time.sleep(_WRITES_S)
        # Now there are rows in the file; those that follow stay in the write-ahead log.
        trial.stop(server)
        server.start()
        time.sleep(_WRITES_S)
        server.kill()
    whole = {path: path.read_bytes() for path in (server.database, server.wal)}
    for number in range(trial.rounds):
        path, where, place = _PLACES[number % len(_PLACES)](server, whole, chance)
        content = bytearray(whole[path])
        length = min(chance.choice(_LENGTHS), len(content) - place)
        content[place : place + length] = chance.randbytes(length)
        path.write_bytes(content)
        _start(trial, server, f"{length} bytes of the {where} at {place}: ")
        _put_back(server, whole)
    began = time.monotonic()
    server.start()
    trial.time_recovery(server, since=began)
    trial.check_retries(server)
    trial.stop(server)


_Whole = dict[Path, bytes]
_Place = tuple[Path, str, int]


def _header(server: Server, _: _Whole, chance: Random) -> _Place:
    return server.database, "headers", chance.randrange(3 * _PAGE)


def _block(server: Server, whole: _Whole, chance: Random) -> _Place:
    return server.database, "blocks", chance.randrange(3 * _PAGE, len(whole[server.database]))


def _wal(server: Server, whole: _Whole, chance: Random) -> _Place:
    return server.wal, "write-ahead log", chance.randrange(len(whole[server.wal]))


def _end(server: Server, whole: _Whole, chance: Random) -> _Place:
    size = len(whole[server.wal])
    return server.wal, "write-ahead log's end", size - chance.randrange(1, 2_000)


_PLACES: tuple[Callable[[Server, _Whole, Random], _Place], ...] = (_header, _block, _wal, _end)


def _start(trial: Trial, server: Server, where: str) -> None:
    if words := server.refuses():
        is_told = "is damaged" in words or "no DuckDB database" in words
        trial.require(is_told, f"{where}no cause is named: {words[-300:]}")
        return
    trial.stop(server)
    try:
        trial.hold(server.database, trial.ledger, where)
    except duckdb.Error:
        return  # who reads those rows is told


def _put_back(server: Server, whole: _Whole) -> None:
    for path in server.folder.glob(f"{server.database.name}*"):
        if path.is_file():
            path.unlink()
    for path, content in whole.items():
        path.write_bytes(content)
