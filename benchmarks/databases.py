"""DuckDB beside SQLite as a prediction log: ``python -m benchmarks.databases [--rows 1000000]``.

Both commit to disk before they return. Prints milliseconds and bytes; compare the columns, the
machine decides the rest.
"""

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

FEATURES = ["u", "g", "r", "i", "z", "redshift"]
COLUMNS = ["prediction_id", "predicted_at", "label", *FEATURES, "p_galaxy", "p_qso", "p_star"]
QUERIES = {
    "labels per hour": "SELECT predicted_at / 3600, label, count(*) FROM p GROUP BY 1, 2",
    "mean of each input by label": "SELECT label, avg(u), avg(g), avg(r), avg(i), avg(z),"
    " avg(redshift) FROM p GROUP BY 1",
    "newest 50": "SELECT * FROM p ORDER BY prediction_id DESC LIMIT 50",
}


def made_rows(n: int, seed: int) -> list[tuple[Any, ...]]:
    """Return `n` rows of noise in the log's columns; ids and times rise."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(17, 1, (n, 9)).astype(np.float32).astype(float).tolist()
    labels = rng.choice(["GALAXY", "QSO", "STAR"], n).tolist()
    first = seed * 10_000_000
    return [
        (f"{first + k:036d}", 1_750_000_000 + (first + k) // 20, labels[k], *numbers[k])
        for k in range(n)
    ]


class DuckDB:
    """Rows go through one appender, as in the server."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = duckdb.connect(str(path))
        kinds = ["VARCHAR", "BIGINT", "VARCHAR", *["FLOAT"] * 9]
        columns = ", ".join(f"{c} {k}" for c, k in zip(COLUMNS, kinds, strict=True))
        self.connection.execute(f"CREATE TABLE p ({columns})")
        self.appender = self.connection.appender("p")

    def commit(self, rows: list[tuple[Any, ...]]) -> None:
        """Store `rows` durably."""
        self.appender.append_rows(rows)
        self.appender.flush()

    def ask(self, query: str) -> list[Any]:
        """Return all rows of `query`."""
        return self.connection.execute(query).fetchall()


class SQLite:
    """Write-ahead log, every commit synced, an index for the newest rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute(f"CREATE TABLE p ({', '.join(COLUMNS)})")
        self.connection.execute("CREATE INDEX newest ON p (prediction_id)")
        self._insert = f"INSERT INTO p VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608  # marks only

    def commit(self, rows: list[tuple[Any, ...]]) -> None:
        """Store `rows` durably."""
        self.connection.executemany(self._insert, rows)
        self.connection.commit()

    def ask(self, query: str) -> list[Any]:
        """Return all rows of `query`."""
        return self.connection.execute(query).fetchall()


def median_ms(work: Callable[[], object], repeats: int) -> float:
    """Return the median wall time of `work`, in milliseconds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e3


def measure(database: DuckDB | SQLite, rows: int) -> Iterator[tuple[str, float]]:
    """Yield each figure with its name."""
    for chunk in range(rows // 100_000):
        database.commit(made_rows(100_000, seed=chunk))
    for size, repeats in ((1, 100), (32, 50), (1_000, 10)):
        batches = iter([made_rows(size, seed=10_000 * size + k) for k in range(repeats)])
        yield (
            f"commit of {size} rows, ms",
            median_ms(lambda batches=batches: database.commit(next(batches)), repeats),  # type: ignore[misc]  # bound now
        )
    for name, query in QUERIES.items():
        yield f"{name}, ms", median_ms(lambda query=query: database.ask(query), 5)  # type: ignore[misc]  # bound now
    database.connection.close()
    yield "file, MB", database.path.stat().st_size / 1e6


def main() -> None:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows in the log")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        duck = dict(measure(DuckDB(Path(folder, "log.duckdb")), rows))
        lite = dict(measure(SQLite(Path(folder, "log.sqlite")), rows))
    print(f"{'with ' + format(rows, ',') + ' rows':32}{'DuckDB':>10}{'SQLite':>10}")
    for name, figure in duck.items():
        print(f"{name:32}{figure:>10.2f}{lite[name]:>10.2f}")


if __name__ == "__main__":
    main()
