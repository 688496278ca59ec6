"""How a log of millions answers: make it from a server's own rows, then ask, draw and export.

Run it as ``python -m benchmarks.big_log --rows 1000000``. A server predicts some thousands of made
up objects; they are multiplied in its stopped database, each copy a little later and with an id of
its own; then a server with that database is asked over HTTP.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import duckdb

from benchmarks.instances import InstanceMaker
from benchmarks.running import SEXTANT, free_port, serving

SEED_ROWS = 5_000
# The log covers this long, so that there are hours to group by.
DAYS = 30
ROUNDS = 7
# A file has at most two gigabytes.
DOWNLOADED = 1_000_000
QUERIES = {
    "count": "SELECT count(*) FROM predictions",
    "labels": "SELECT label, count(*) AS n FROM predictions GROUP BY label",
    "hours and labels": "SELECT date_trunc('hour', predicted_at) AS hour, label, count(*) AS n, "
    "avg(u) AS u FROM predictions GROUP BY ALL ORDER BY hour",
    "newest 50": "SELECT * FROM predictions ORDER BY prediction_id DESC LIMIT 50",
    "one of them": "SELECT * FROM predictions WHERE id = 'nobody'",
    "quantiles": "SELECT label, quantile_cont(u, 0.5), quantile_cont(redshift, 0.99) "
    "FROM predictions GROUP BY label",
}
FILES = ("csv", "ndjson", "parquet")


def main() -> None:
    """Make the log, ask it, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="keep the database under this name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = options.keep or Path(folder) / "predictions.duckdb"
        if not database.exists():
            make_log(database, options.rows)
        print(f"{options.rows:,} rows, {database.stat().st_size / 1e6:.0f} MB\n")
        with served(database) as (url, process):
            _ask_all(url)
            _download_all(url, process, options.rows)
            _export(database, url, Path(folder) / "export")


def make_log(database: Path, rows: int) -> None:
    """Write a log of `rows` predictions, all a server's own but for time and id."""
    with served(database) as (url, _):
        maker = InstanceMaker(_get_json(f"{url}/model"), Random(0))  # noqa: S311  # no secrets
        body = [maker.make(missing_share=0.1) for _ in range(SEED_ROWS)]
        _open(f"{url}/predict", json.dumps(body).encode(), "application/json").read()
    with duckdb.connect(str(database)) as connection:
        ((table,),) = connection.execute(_TABLE).fetchall()
        copies = -(-rows // SEED_ROWS) - 1
        apart_us = DAYS * 86_400 * 10**6 // max(copies, 1)
        connection.execute(_COPY.format(table=table, copies=copies, apart_us=apart_us))


# Beside the predictions lie the labels.
_TABLE = "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'stored%'"
# Ids are of version 7, sorted by the time of their copy; the copies go back in time, each row of
# one somewhere within an hour.
_COPY = """
INSERT INTO {table} SELECT * EXCLUDE (copy, earlier) REPLACE (
    (lpad(to_hex(epoch_ms(earlier)), 12, '0') || '7'
     || left(md5(prediction_id::VARCHAR || copy), 3) || '8'
     || right(md5(prediction_id::VARCHAR || copy), 15))::UUID AS prediction_id,
    earlier AS predicted_at)
FROM (SELECT *, predicted_at - to_microseconds(
          (copy * {apart_us} + hash(prediction_id, copy) % 3600000000)::BIGINT) AS earlier
      FROM {table}, range(1, {copies} + 1) r(copy))
ORDER BY earlier
"""


@contextmanager
def served(database: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a server with `database`; yield its address and its process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "SEXTANT_PORT": str(port),
        "SEXTANT_DATABASE": str(database),
        "SEXTANT_QUERY_MAX_ROWS": "100000000",
        "SEXTANT_QUERY_TIMEOUT_S": "600",
    }
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        ready = f"{url}/health/ready"
        with serving(SEXTANT, environment, ready_url=ready, output=output) as process:
            yield url, process


def _ask_all(url: str) -> None:
    print("| query | ms, median | ms, worst |\n|---|---|---|")
    for name, query in QUERIES.items():
        address = f"{url}/sql.json?{urllib.parse.urlencode({'q': query})}"
        took = [_timed(partial(_get_json, address)) for _ in range(ROUNDS)]
        print(f"| {name} | {1e3 * median(took):.0f} | {1e3 * max(took):.0f} |")


def _download_all(url: str, process: subprocess.Popen[bytes], rows: int) -> None:
    print(
        f"\n| {min(rows, DOWNLOADED):,} rows | s | MB | MB of memory, highest |\n|---|---|---|---|"
    )
    for form in FILES:
        address = f"{url}/sql.{form}?q=SELECT+*+FROM+predictions+LIMIT+{min(rows, DOWNLOADED)}"
        began = time.perf_counter()
        size = _size_of(address)
        took = time.perf_counter() - began
        print(f"| {form} | {took:.1f} | {size / 1e6:.0f} | {_highest_memory_mb(process.pid):.0f} |")
    print()


def _size_of(address: str) -> int:
    with _open(address) as answer:
        return sum(len(chunk) for chunk in iter(lambda: answer.read(1 << 20), b""))


def _export(database: Path, url: str, to: Path) -> None:
    environment = {"SEXTANT_DATABASE": str(database)}
    command = [*SEXTANT, "export", "--to", str(to), "--url", url]
    for name in ("export", "the same again"):
        took = _timed(partial(_run, command, environment))
        files = list(to.rglob("*.parquet"))
        size = sum(path.stat().st_size for path in files) / 1e6
        print(f"{name}: {took:.1f} s, {len(files)} files, {size:.0f} MB")


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True)


def _timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _open(url: str, body: bytes | None = None, content_type: str = "text/plain") -> Any:
    headers = {"content-type": content_type}
    return urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=600)  # noqa: S310  # our own server


def _get_json(url: str) -> Any:
    with _open(url) as answer:
        return json.load(answer)


def _highest_memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
