"""Time labels and what is judged: ``python -m benchmarks.labels --database big.duckdb``.

``python -m benchmarks.big_log --keep big.duckdb`` makes such a log. Labels are added to it.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.running import SEXTANT, NotStarted, free_port, serving

_PIECE = 10_000
_ROUNDS = 5
_IDS = "SELECT prediction_id, label FROM predictions USING SAMPLE {count} ROWS (reservoir, 0)"
_ACCURACY = "SELECT avg(is_correct::INTEGER), count(*) FROM judged"
# Of the 30 days that the log covers, the newest three.
_NEWEST = " WHERE predicted_at > (SELECT max(predicted_at) - INTERVAL 3 DAY FROM predictions)"
_ASKED = {
    "accuracy, all": _ACCURACY,
    "accuracy, newest tenth": _ACCURACY + _NEWEST,
    "by version": "SELECT model_version, avg(is_correct::INTEGER) FROM judged GROUP BY ALL",
    "labels that wait": "SELECT count(*) FROM labels WHERE is_current AND NOT is_matched",
}


def main() -> int:
    """Give the labels, ask for the figures, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", type=Path, required=True, help="which log, of a classifier")
    parser.add_argument("--labels", type=int, default=100_000, help="how many to add (100000)")
    options = parser.parse_args()
    port = free_port()
    environment = {
        "SEXTANT_PORT": str(port),
        "SEXTANT_DATABASE": str(options.database.absolute()),
        "SEXTANT_QUERY_TIMEOUT_S": "600",
    }
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="sextant-labels-") as folder:
        output = Path(folder, "out.txt")
        try:
            with serving(
                SEXTANT, environment, ready_url=f"{url}/health/ready", output=output
            ) as server:
                _measure(url, server.pid, options.labels)
        except NotStarted as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _measure(url: str, pid: int, count: int) -> None:
    bodies = _labels(url, count)
    print("| what | ms, median | ms of CPU, median |\n|---|---|---|")
    took = [_timed(pid, f"{url}/labels", body) for body in bodies]
    print(_row(f"POST /labels, {_PIECE:,} at once", took))
    pages = {"GET /labels": f"{url}/labels", "GET /labels?last=3d": f"{url}/labels?last=3d"}
    queries = {
        name: f"{url}/sql.json?{urllib.parse.urlencode({'q': sql})}" for name, sql in _ASKED.items()
    }
    for name, address in {**queries, **pages}.items():
        print(_row(name, [_timed(pid, address) for _ in range(_ROUNDS + 1)][1:]))


def _labels(url: str, count: int) -> list[bytes]:
    """Return bodies of labels for predictions chosen by chance; every tenth is wrong."""
    query = urllib.parse.urlencode({"q": _IDS.format(count=count)})
    lines = _open(f"{url}/sql.ndjson?{query}").splitlines()
    chosen: list[dict[str, Any]] = [json.loads(line) for line in lines]
    labels = [
        {
            "prediction_id": each["prediction_id"],
            "label": each["label"] if number % 10 else chosen[number - 1]["label"],
        }
        for number, each in enumerate(chosen)
    ]
    return [
        json.dumps(labels[start : start + _PIECE]).encode()
        for start in range(0, len(labels), _PIECE)
    ]


def _timed(pid: int, address: str, body: bytes | None = None) -> tuple[float, float]:
    began, cpu = time.perf_counter(), _cpu_s(pid)
    _open(address, body)
    return 1e3 * (time.perf_counter() - began), 1e3 * (_cpu_s(pid) - cpu)


def _cpu_s(pid: int) -> float:
    # The 14th and 15th fields, behind the name in parentheses: proc(5).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _open(address: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(  # noqa: S310  # our own server
        address, body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=600) as response:  # noqa: S310  # our own server
        content: bytes = response.read()
    return content


def _row(name: str, took: Sequence[tuple[float, float]]) -> str:
    wall, cpu = zip(*took, strict=True)
    return f"| {name} | {median(wall):.0f} | {median(cpu):.0f} |"


if __name__ == "__main__":
    sys.exit(main())
