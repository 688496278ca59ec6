"""Put the server beside an empty Flask route, in one run: ``python -m benchmarks.compare``.

Every contender gets the same body from ``wrk``, in turns, so that what else the machine does
falls on all of them; the table has the medians of the rounds.
"""

import argparse
import http.client
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.instances import Instance, InstanceMaker
from benchmarks.running import ROOT, SEXTANT, free_port, serving
from benchmarks.wrk import Contender, Figures, lua, resident_mb, turn

_CONNECTIONS = (1, 8, 32)
_BATCH_ROWS = 1_000
_EMPTY_ROUTE = (sys.executable, "-m", "benchmarks.empty_route")
# As many threads as the server has by default.
_THREADS = "32"
_DTYPES: dict[str, Any] = {"float32": np.float32, "int64": np.int64, "string": object}


def main() -> int:
    """Run all turns and print the tables; 0 also where there is no wrk to run them with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender (3)")
    parser.add_argument("--seconds", type=int, default=4, help="length of a turn (4)")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        print("wrk is not installed, so nothing was compared: apt-get install wrk")
        return 0
    print(_circumstances(), flush=True)
    with tempfile.TemporaryDirectory(prefix="sextant-compare-") as folder, ExitStack() as stack:
        contenders = list(_start(Path(folder), stack))
        contract = _contract(contenders[-1])
        maker = InstanceMaker(contract, Random(0))  # noqa: S311  # test rows, not secrets
        instance = maker.make(missing_share=0)
        script = Path(folder) / "post.lua"
        script.write_text(lua(instance))
        turns = _interleaved(contenders, script, rounds=options.rounds, seconds=options.seconds)
        print(_table(contenders, turns))
        for contender in contenders:
            print(f"resident memory, {contender.name}: {resident_mb(contender.pid):.0f} MB")
        batch = [maker.make(missing_share=0) for _ in range(_BATCH_ROWS)]
        rows_per_s = _batch_rows_per_s(contenders[-1], batch, seconds=options.seconds)
        print(f"one connection, {_BATCH_ROWS} rows a request: {rows_per_s:,.0f} rows/s")
        print(f"one row in a bare session, one thread: {_session_us(contract, instance):.0f} us")
    return 0


def _circumstances() -> str:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607  # whichever git is used here
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit or 'unknown'}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"load before the run {os.getloadavg()[0]:.1f}\n"
    )


def _start(folder: Path, stack: ExitStack) -> Iterator[Contender]:
    ports = [free_port() for _ in range(3)]
    sextant = {
        "SEXTANT_HOST": "127.0.0.1",
        "SEXTANT_PORT": str(ports[2]),
        "SEXTANT_DATABASE": str(folder / "predictions.duckdb"),
    }
    for port, name, command, environment, ready in (
        (ports[0], "empty route, 4 threads", (*_EMPTY_ROUTE, str(ports[0])), {}, "/"),
        (ports[1], "empty route, 32 threads", (*_EMPTY_ROUTE, str(ports[1]), _THREADS), {}, "/"),
        (ports[2], "Sextant", SEXTANT, sextant, "/health/ready"),
    ):
        url = f"http://127.0.0.1:{port}"
        output = folder / f"{port}.log"
        server = stack.enter_context(
            serving(command, environment, ready_url=f"{url}{ready}", output=output)
        )
        yield Contender(name, url, server.pid)


def _contract(contender: Contender) -> dict[str, Any]:
    contract: dict[str, Any] = json.loads(_request(contender, "GET", "/model", None))
    return contract


def _request(contender: Contender, method: str, path: str, body: bytes | None) -> bytes:
    connection = http.client.HTTPConnection(contender.url.removeprefix("http://"), timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise SystemExit(f"{contender.name} answered {response.status}: {content[:500]!r}")
    return content


def _interleaved(
    contenders: Sequence[Contender], script: Path, *, rounds: int, seconds: int
) -> dict[tuple[str, int], list[Figures]]:
    turns: dict[tuple[str, int], list[Figures]] = {}
    for contender in contenders:
        turn(contender, script, connections=8, seconds=1)  # warms up
    for _ in range(rounds):
        for connections in _CONNECTIONS:
            for contender in contenders:
                figures = turn(contender, script, connections=connections, seconds=seconds)
                turns.setdefault((contender.name, connections), []).append(figures)
    return turns


def _table(contenders: Sequence[Contender], turns: dict[tuple[str, int], list[Figures]]) -> str:
    lines = [
        "| contender | connections | requests/s | of the empty route | p50 ms | p99 ms | CPU us |",
        "|---|---|---|---|---|---|---|",
    ]
    for connections in _CONNECTIONS:
        empty = _median(turns[contenders[0].name, connections], lambda f: f.requests_per_s)
        for contender in contenders:
            figures = turns[contender.name, connections]
            rate = _median(figures, lambda f: f.requests_per_s)
            lines.append(
                f"| {contender.name} | {connections} | {rate:,.0f} | {rate / empty:.2f} "
                f"| {_median(figures, lambda f: f.p50_ms):.1f} "
                f"| {_median(figures, lambda f: f.p99_ms):.1f} "
                f"| {_median(figures, lambda f: f.cpu_us):,.0f} |"
            )
    return "\n".join(lines)


def _median(figures: Sequence[Figures], value: Callable[[Figures], float]) -> float:
    return statistics.median(map(value, figures))


def _batch_rows_per_s(contender: Contender, batch: Sequence[Instance], *, seconds: int) -> float:
    body = json.dumps(batch).encode()
    rows, begin = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds:
        _request(contender, "POST", "/predict", body)
        rows += len(batch)
    return rows / elapsed


def _session_us(contract: dict[str, Any], instance: Instance) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # An input with a default is warned of.
    options.log_severity_level = 3
    model = ROOT / os.environ.get("SEXTANT_MODEL", "models/sdss.onnx")
    session = onnxruntime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
    inputs = {
        feature["name"]: np.array([[instance[feature["name"]]]], dtype=_DTYPES[feature["type"]])
        for feature in contract["features"]
    }
    # What the server asks for: everything.
    names = [output["name"] for output in contract["outputs"]]
    times = []
    for _ in range(5_000):
        begin = time.perf_counter()
        session.run(names, inputs)
        times.append(time.perf_counter() - begin)
    return 1e6 * statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
