"""Ask a server for more than it can answer: ``python -m benchmarks.overload``.

On as many connections as are told, each asks for one prediction again as soon as it is answered, a
refusal or not. Meanwhile a client of its own connects anew five times a second, and afterwards
asks whether the server is ready. With ``--idle`` so many others are connected and say nothing.
"""

import argparse
import contextlib
import http.client
import json
import os
import platform
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from benchmarks.closed_loop import Answers, keep_asking
from benchmarks.instances import InstanceMaker
from benchmarks.processes import cpu_s
from benchmarks.running import SEXTANT, commit, free_port, serving

_EVERY_S = 0.2
# The last refusal is forgotten after a second.
_READY_TIMEOUT_S = 30.0
_HEAD = (
    "| connections | idle | let in/s | p50 ms | p95 ms | p99 ms | refused/s | p50 ms | p95 ms "
    "| p99 ms | a new client, longest ms | CPU us an answer | ready again s |"
)


def main() -> int:
    """Run once for each number of connections; 0 if every refusal said when to try again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 32, 320])
    parser.add_argument("--idle", type=int, default=0, help="others that say nothing (0)")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of a run (8)")
    options = parser.parse_args()
    print(_circumstances(), _HEAD, "|---" * _HEAD.count(" | ") + "|---|", sep="\n", flush=True)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="sextant-overload-") as folder:
        environment = {
            "SEXTANT_HOST": "127.0.0.1",
            "SEXTANT_PORT": str(port),
            "SEXTANT_DATABASE": f"{folder}/predictions.duckdb",
        }
        ready_url = f"http://127.0.0.1:{port}/health/ready"
        output = Path(folder) / "server.log"
        with (
            serving(SEXTANT, environment, ready_url=ready_url, output=output) as server,
            contextlib.ExitStack() as idle,
        ):
            for _ in range(options.idle):
                idle.enter_context(socket.create_connection(("127.0.0.1", port)))
            request = _request(port)
            keep_asking(port, request, connections=8, seconds=1.0)  # warms up
            runs = [_run(port, request, server.pid, each, options) for each in options.connections]
    return 1 if any(answers.without_retry or answers.broken for answers in runs) else 0


def _run(
    port: int, request: bytes, pid: int, connections: int, options: argparse.Namespace
) -> Answers:
    is_over, longest = threading.Event(), [0.0]
    newcomer = threading.Thread(target=_come_anew, args=(port, request, is_over, longest))
    newcomer.start()
    before = cpu_s(pid)
    answers = keep_asking(port, request, connections=connections, seconds=options.seconds)
    cpu = cpu_s(pid) - before
    is_over.set()
    ready_after = _wait_until_ready(port)
    newcomer.join()
    let_in, refused = answers.seconds.get(200, []), answers.seconds.get(503, [])
    others = {status for status in answers.seconds if status not in (200, 503)}
    if others or answers.without_retry or answers.broken:
        print(f"answered {others}, {answers.without_retry} without Retry-After, ", end="")
        print(f"{answers.broken} connections broke", flush=True)
    print(
        f"| {connections} | {options.idle} | {len(let_in) / options.seconds:,.0f} "
        f"| {_percentiles(let_in)} | {len(refused) / options.seconds:,.0f} "
        f"| {_percentiles(refused)} | {1e3 * longest[0]:.0f} "
        f"| {1e6 * cpu / max(1, len(let_in) + len(refused)):.0f} | {ready_after:.2f} |",
        flush=True,
    )
    return answers


def _come_anew(port: int, request: bytes, is_over: threading.Event, longest: list[float]) -> None:
    while not is_over.wait(_EVERY_S):
        began = time.perf_counter()
        keep_asking(port, request, connections=1, seconds=0.0)
        longest[0] = max(longest[0], time.perf_counter() - began)


def _wait_until_ready(port: int) -> float:
    began = time.perf_counter()
    while time.perf_counter() - began < _READY_TIMEOUT_S:
        if _get(port, "/health/ready")[0] == 200:
            return time.perf_counter() - began
        time.sleep(0.02)
    raise SystemExit("the server is not ready again")


def _request(port: int) -> bytes:
    contract = json.loads(_get(port, "/model")[1])
    maker = InstanceMaker(contract, Random(0))  # noqa: S311  # test rows, not secrets
    body = json.dumps(maker.make(missing_share=0)).encode()
    return (
        b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    ) + body


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _percentiles(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "- | - | -"
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return " | ".join(f"{1e3 * cuts[percent - 1]:.0f}" for percent in (50, 95, 99))


def _circumstances() -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"load before the run {os.getloadavg()[0]:.1f}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
