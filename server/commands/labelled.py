"""The log as a table to train on: inputs and truth of every prediction that has a label."""

import os
import shutil
import tempfile
from pathlib import Path

import duckdb

from server.commands.sources import SqlSource
from server.contract import Contract
from server.scoring.staging import PART_ROWS, pattern
from server.storage.parts import literal, quoted

_FIRST = "00000000-0000-0000-0000-000000000000"


def export_labelled(source: SqlSource, contract: Contract, to: Path) -> int:
    """Write `to`, whole or not at all, and return its rows: inputs and target, nothing else.

    What lacks an input that must be there was predicted by another model, and is left out.

    Raises
    ------
    SqlRefused
        If the log has no labels' table, or not the inputs of the contract.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{to.name}.", dir=to.parent) as scratch:
        folder = Path(scratch)
        number = _fetch(source, contract, folder)
        growing = folder / "whole"
        files = ", ".join(pattern(folder / f"{k}.parquet") for k in range(number))
        with duckdb.connect() as connection:
            (rows,) = connection.execute(
                f"COPY (SELECT * EXCLUDE prediction_id FROM read_parquet([{files}])) "  # noqa: S608  # literals
                f"TO {literal(str(growing))} (FORMAT parquet, COMPRESSION zstd)"
            ).fetchone() or (0,)
        with growing.open("rb+") as file:
            os.fsync(file.fileno())
        growing.replace(to)
    return int(rows)


def _fetch(source: SqlSource, contract: Contract, folder: Path) -> int:
    """Write pieces in the order of the predictions, and return how many."""
    statement, after, number = _statement(contract), _FIRST, 0
    with duckdb.connect() as connection:
        while True:
            path = folder / f"{number}.parquet"
            with source.file(statement, {"after": after}, "parquet") as rows, path.open("wb") as to:
                shutil.copyfileobj(rows, to)
            number += 1
            ((count, last),) = connection.execute(
                f"SELECT count(*), max(prediction_id) FROM read_parquet({pattern(path)})"  # noqa: S608  # a literal
            ).fetchall()
            if count < PART_ROWS:
                return number
            after = str(last)


def _statement(contract: Contract) -> str:
    names = [quoted(feature.name) for feature in contract.features]
    needed = [f"p.{quoted(f.name)} IS NOT NULL" for f in contract.features if not f.nullable]
    truth = "truth" if contract.class_names else "true_value"
    conditions = ["j.prediction_id > $after", f"j.{truth} IS NOT NULL", *needed]
    return (
        f"SELECT p.prediction_id, {', '.join(f'p.{name}' for name in names)}, "  # noqa: S608  # quoted
        f"j.{truth} AS {quoted(contract.target.name)} "
        "FROM judged j JOIN predictions p ON p.prediction_id = j.prediction_id "
        f"WHERE {' AND '.join(conditions)} ORDER BY p.prediction_id LIMIT {PART_ROWS}"
    )
