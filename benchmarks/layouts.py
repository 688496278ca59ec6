"""Ways to store what a model says at length: ``python -m benchmarks.layouts``.

The survey model says 48 numbers a row beside its answer. Prints the milliseconds that a commit of
them takes, by how they lie in the table and how many rows share the commit.
"""

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

FEATURES = ["r", "u-g", "g-r", "r-i", "i-z", "redshift"]
CLASSES = ["GALAXY", "QSO", "STAR"]
# Commits of each size.
SIZES = {1: 50, 32: 50, 1_000: 10}
BATCH = 10_000
N_NUMBERS = 2 * len(FEATURES) * len(CLASSES) + 2 * len(CLASSES) + len(FEATURES)
_LENGTHS = [18, 3, 18, 3, 6]
Rows = Callable[[Any], list[tuple[Any, ...]]]


def _structs() -> list[str]:
    by_class = "STRUCT(" + ", ".join(f'"{name}" FLOAT' for name in CLASSES) + ")"
    by_feature = "STRUCT(" + ", ".join(f'"{name}" {by_class}' for name in FEATURES) + ")"
    derived = "STRUCT(" + ", ".join(f'"{name}" FLOAT' for name in FEATURES) + ")"
    return [by_feature, by_class, by_feature, by_class, derived]


def _split(row: list[float]) -> list[list[float]]:
    ends = np.cumsum([0, *_LENGTHS]).tolist()
    return [row[start:end] for start, end in itertools.pairwise(ends)]


def _as_structs(array: Any) -> list[tuple[Any, ...]]:
    rows = []
    for row in array.tolist():
        parts: list[Any] = _split(row)
        for at in (0, 2):
            each = [parts[at][start : start + 3] for start in range(0, 18, 3)]
            named = (dict(zip(CLASSES, three, strict=True)) for three in each)
            parts[at] = dict(zip(FEATURES, named, strict=True))
        for at in (1, 3):
            parts[at] = dict(zip(CLASSES, parts[at], strict=True))
        parts[4] = dict(zip(FEATURES, parts[4], strict=True))
        rows.append(tuple(parts))
    return rows


def _as_arrays(array: Any) -> list[tuple[Any, ...]]:
    return [tuple(_split(row)) for row in array.tolist()]


def _as_columns(array: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in array.tolist()]


LAYOUTS: dict[str, tuple[list[str], Rows]] = {
    "structs by name": (_structs(), _as_structs),
    "arrays": ([f"FLOAT[{length}]" for length in _LENGTHS], _as_arrays),
    "a column each": (["FLOAT"] * N_NUMBERS, _as_columns),
}


def measure(folder: Path, name: str, kinds: list[str], to_rows: Rows) -> list[float]:
    """Return the median milliseconds of a commit of each size, rows made from arrays included."""
    connection = duckdb.connect(str(folder / f"{name}.duckdb"))
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(kinds))
    connection.execute(f"CREATE TABLE p ({columns})")
    appender = connection.appender("p")
    chance = np.random.default_rng(0)
    figures = []
    for size, repeats in SIZES.items():
        times = []
        for _ in range(repeats):
            array = chance.normal(size=(size, N_NUMBERS)).astype(np.float32)
            started = time.perf_counter()
            appender.append_rows(to_rows(array))
            appender.flush()
            times.append(time.perf_counter() - started)
        figures.append(1e3 * statistics.median(times))
    connection.close()
    return figures


def measure_batch(folder: Path) -> tuple[float, float]:
    """Return the milliseconds of BATCH rows: appended, and inserted from columns."""
    connection = duckdb.connect(str(folder / "batch.duckdb"))
    kinds = LAYOUTS["arrays"][0]
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(kinds))
    connection.execute(f"CREATE TABLE p ({columns})")
    array = np.random.default_rng(0).normal(size=(BATCH, N_NUMBERS)).astype(np.float32)
    appender = connection.appender("p")
    started = time.perf_counter()
    appender.append_rows(_as_arrays(array))
    appender.flush()
    appended = time.perf_counter() - started
    started = time.perf_counter()
    given = {f"x{at}": np.ascontiguousarray(column) for at, column in enumerate(array.T)}
    connection.register("batch", given)
    names = _split(list(given))  # type: ignore[arg-type]  # names in place of numbers
    values = ", ".join(
        f"array_value({', '.join(map(str, each))})::{kind}"
        for each, kind in zip(names, kinds, strict=True)
    )
    connection.execute(f"INSERT INTO p SELECT {values} FROM batch")  # noqa: S608  # names of ours
    inserted = time.perf_counter() - started
    connection.close()
    return 1e3 * appended, 1e3 * inserted


def main() -> None:
    """Measure every layout and print a table."""
    print("| | " + " | ".join(f"{size:,} rows, ms" for size in SIZES) + " |")
    print("|---|" + "---|" * len(SIZES))
    with tempfile.TemporaryDirectory() as folder:
        for name, (kinds, to_rows) in LAYOUTS.items():
            figures = measure(Path(folder), name, kinds, to_rows)
            print(f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")
        appended, inserted = measure_batch(Path(folder))
    print(f"\n{BATCH:,} rows in arrays: appended {appended:.0f} ms, from columns {inserted:.0f} ms")


if __name__ == "__main__":
    main()
