"""Answer what was stored with another model, and lay both answers side by side."""

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
from duckdb.sqltypes import DuckDBPyType

from server.contract import Contract
from server.model import Model
from server.replaying.stored import FIXED, TRUE_VALUE, TRUTH, Logged
from server.scoring.answering import answer, register
from server.scoring.reading import read_part
from server.scoring.tables import open_table
from server.scoring.writing import join
from server.storage.parts import literal, quoted


def rerun(
    model: Model, logged: Logged, stored: Iterable[Path], folder: Path
) -> Iterator[tuple[int, int]]:
    """Write a file of pairs for each of `stored`, on all cores, and yield its rows as they come.

    Yields
    ------
    (int, int)
        Rows that were answered, and rows to which the model has no answer.
    """
    cores = len(os.sched_getaffinity(0))
    # While as many are at work, one more is fetched.
    free = threading.BoundedSemaphore(cores + 1)
    with ThreadPoolExecutor(cores) as threads:
        waiting: list[Future[tuple[int, int]]] = []
        for path in stored:
            free.acquire()
            future = threads.submit(_pair, model, logged, path, folder)
            future.add_done_callback(lambda _: free.release())
            waiting.append(future)
            while waiting and waiting[0].done():
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()


def _pair(model: Model, logged: Logged, path: Path, folder: Path) -> tuple[int, int]:
    contract = model.contract
    table = open_table(path, "parquet", folder)
    with duckdb.connect(config={"threads": 1, "temp_directory": str(folder)}) as connection:
        part = read_part(connection, table, 0, contract.features)
        said = answer(model, part, at_length=False)
        answers = register(connection, contract, said, None)
        came = f"SELECT {_came(logged, contract)} {table.of_part(0)}"
        replayed = f"SELECT {_struct('replayed', said.outputs)} FROM ({answers})"
        join(connection, came, replayed, said.is_taken)
        pairs = path.with_suffix(".pairs")
        connection.execute(
            f"COPY (SELECT *, {_moved(logged, contract)} AS moved FROM scored) "
            f"TO {literal(str(pairs))} (FORMAT parquet)"
        )
    path.unlink()
    return said.columns.n_rows, table.rows - said.columns.n_rows


def _came(logged: Logged, contract: Contract) -> str:
    return ", ".join(
        [
            *FIXED,
            _struct("inputs", [feature.name for feature in contract.features]),
            _struct("stored", [*logged.outputs]),
            f"{quoted(TRUTH)} AS truth",
            f"{quoted(TRUE_VALUE)} AS true_value",
        ]
    )


def _struct(name: str, members: Any) -> str:
    packed = ", ".join(f"{quoted(member)} := {quoted(member)}" for member in members)
    return f"struct_pack({packed}) AS {name}"


def _moved(logged: Logged, contract: Contract) -> str:
    """Return the SQL of how far the answer moved: the value, or the probability that did most."""
    if not contract.class_names:
        return "abs(replayed.value::DOUBLE - stored.value)"
    both = common_classes(logged, contract)
    parts = [
        f"abs(replayed.probabilities.{quoted(name)}::DOUBLE - stored.probabilities.{quoted(name)})"
        for name in both
    ]
    return f"greatest({', '.join(parts)})" if parts else "NULL::DOUBLE"


def common_classes(logged: Logged, contract: Contract) -> list[str]:
    """Return the classes of which log and model both say a probability."""
    kind = logged.outputs.get("probabilities", "")
    if not kind.startswith("STRUCT"):  # of models with different classes it is JSON
        return []
    known = {name for name, _ in DuckDBPyType(kind).children}
    return [name for name in contract.class_names if name in known]
