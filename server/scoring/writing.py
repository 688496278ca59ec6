"""Write parts, answers beside what they answer, and make one file of them."""

import gzip
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from server.browse.exporting import csv_cell, csv_head
from server.browse.flattening import flatten
from server.contract import Contract
from server.scoring.parquet_files import concatenate
from server.scoring.tables import Table
from server.sql.formats import as_json
from server.storage.parts import literal, quoted

_NUMBERS = {"float32": "DOUBLE", "int64": "BIGINT"}
# Bytes of a part that are copied at once.
_PIECE = 1 << 20


def join(connection: duckdb.DuckDBPyConnection, came: str, answers: str, is_taken: Any) -> None:
    """Make the view `scored`: the columns that came, without the rows not taken, and the answers.

    One thread reads both in their order, so the rows fit by their place. Where nothing is kept of
    what came, `came` is empty.
    """
    if not came:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW scored AS {answers}")
        return
    if not is_taken.all():
        connection.register("taken", {"is_taken": is_taken})
        came = f"SELECT * EXCLUDE is_taken FROM ({came}) POSITIONAL JOIN taken WHERE is_taken"
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW scored AS SELECT * FROM ({came}) POSITIONAL JOIN ({answers})"
    )


def kept(table: Table, contract: Contract, answered: Sequence[str], form: str) -> list[str]:
    """Return the SQL of each column that is kept, as the format `form` should have it.

    A name that an answer bears gets an underscore. What came as text stays text, but for inputs
    that are numbers.
    """
    numbers = {each.name: _NUMBERS.get(each.type) for each in contract.features}
    taken = {name.lower() for name in answered}
    selected = []
    for name, kind in table.types.items():
        free, value = name, quoted(name)
        while free.lower() in taken:
            free += "_"
        taken.add(free.lower())
        if kind == "JSON" and table.form == "ndjson" and form != "ndjson":
            kind, value = "VARCHAR", f"({value} ->> '$')"
        if kind == "VARCHAR" and numbers.get(name):
            value = f"TRY_CAST(trim({value}) AS {numbers[name]})"
        selected.append(f"{value} AS {quoted(free)}")
    return selected


def write_part(connection: duckdb.DuckDBPyConnection, form: str, path: Path) -> None:
    """Write the view `scored`; CSV without its head."""
    growing = path.with_name(f"{path.name}.part")
    if form == "parquet":
        copied = f"COPY scored TO {literal(str(growing))} (FORMAT parquet, COMPRESSION zstd)"
        connection.execute(copied)
    else:
        line = {"csv": _csv_line, "ndjson": _json_line}[form](connection)
        connection.execute(f"SELECT {line} FROM scored")
        with growing.open("w", encoding="utf-8", newline="") as file:
            while rows := connection.fetchmany(10_000):
                file.write("".join(f"{text}\n" for (text,) in rows))
    _settle(growing, path)


def head_of(connection: duckdb.DuckDBPyConnection, form: str) -> bytes:
    """Return what stands before the first part."""
    return csv_head([each.name for each in _flat(connection)]) if form == "csv" else b""


def merge(
    parts: Sequence[Path], head: bytes, form: str, to: Path, metadata: Mapping[str, str]
) -> None:
    """Make one file of the parts, whole or not at all."""
    growing = to.with_name(f".{to.name}.part")
    if form == "parquet":
        with growing.open("wb") as whole:
            concatenate(parts, whole, metadata)
    else:
        with gzip.open(growing, "wb") if to.name.endswith(".gz") else growing.open("wb") as whole:
            whole.write(head)
            for part in parts:
                with part.open("rb") as file:
                    shutil.copyfileobj(file, whole, _PIECE)
    _settle(growing, to)


def _settle(growing: Path, path: Path) -> None:
    with growing.open("rb+") as file:
        os.fsync(file.fileno())
    growing.replace(path)


def _flat(connection: duckdb.DuckDBPyConnection) -> Any:
    return flatten(connection, "scored", connection.view("scored").columns)


def _csv_line(connection: duckdb.DuckDBPyConnection) -> str:
    return f"concat_ws(',', {', '.join(map(csv_cell, _flat(connection)))})"


def _json_line(connection: duckdb.DuckDBPyConnection) -> str:
    relation = connection.view("scored")
    members = ", ".join(
        f"{quoted(name)} := {quoted(name) if str(kind) == 'JSON' else as_json(quoted(name), kind)}"
        for name, kind in zip(relation.columns, relation.types, strict=True)
    )
    return f"to_json(struct_pack({members}))::VARCHAR"
