"""Time the pages and files of a log: ``python -m benchmarks.browse --database big.duckdb``."""

import argparse
import http.client
import json
import math
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.instances import InstanceMaker
from benchmarks.running import SEXTANT, NotStarted, free_port, serving

_SENDERS = 16
_PIECE = 1 << 20
_FILES = ("/predictions.csv", "/predictions.ndjson", "/predictions.parquet")


def main() -> int:
    """Print a table of times; return 0 if everything was answered."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", type=Path, required=True, help="which log")
    parser.add_argument("--rounds", type=int, default=5, help="how often each page (5)")
    parser.add_argument("--rate", type=int, default=0, help="predictions a second meanwhile (0)")
    parser.add_argument("--files", action="store_true", help="fetch the files as well")
    options = parser.parse_args()
    port = free_port()
    environment = {
        "SEXTANT_PORT": str(port),
        "SEXTANT_DATABASE": str(options.database.absolute()),
    }
    ready = f"http://127.0.0.1:{port}/health/ready"
    with tempfile.TemporaryDirectory(prefix="sextant-browse-") as folder:
        try:
            output = Path(folder, "out.txt")
            with serving(SEXTANT, environment, ready_url=ready, output=output) as server:
                _measure(port, server.pid, options)
        except NotStarted as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _measure(port: int, pid: int, options: argparse.Namespace) -> None:
    contract = json.loads(_get(port, "/model")[0])
    times: list[float] = []
    with _load(port, contract, options.rate, times):
        print("| page | median ms | longest ms | kB |\n|---|---|---|---|")
        for path in pages(contract):
            took = [_get(port, path, accept="text/html") for _ in range(options.rounds + 1)][1:]
            ms = [1e3 * seconds for _, seconds in took]
            size = len(took[0][0]) / 1e3
            print(f"| `{path}` | {statistics.median(ms):.0f} | {max(ms):.0f} | {size:.0f} |")
        for path in _FILES if options.files else ():
            print(_file(port, pid, path))
    if times:
        _, p50, p95, p99 = _quantiles(times)
        print(
            f"meanwhile {len(times)} predictions: p50 {p50:.0f} ms, p95 {p95:.0f} ms, "
            f"p99 {p99:.0f} ms, longest {1e3 * max(times):.0f} ms"
        )


def pages(contract: dict[str, Any]) -> list[str]:
    """Return views of a log of this contract, as a browser would ask for them."""
    numbers = [each for each in contract["features"] if each["range"]]
    first = numbers[0]["name"]
    low, high = numbers[0]["range"]
    middle = f"{low + (high - low) * 0.7:.4g}..{low + (high - low) * 0.9:.4g}"
    views = ["", f"in.{first}={middle}", f"sort=-in.{first}", "last=24h", "id=row-777"]
    if contract["class_names"]:
        label = contract["class_names"][-1]
        views += [f"label={label}", "sort=p", "p=0.5..0.8", f"p.{label}=0.2..0.8&sort=-p.{label}"]
    views += ["novelty=any", "view=pictures", f"view=pictures&in.{first}={middle}"]
    return [f"/predictions{'?' * bool(view)}{view}" for view in views]


def _file(port: int, pid: int, path: str) -> str:
    """Fetch a file and return what it took."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3_600)
    connection.request("GET", path)
    response = connection.getresponse()
    size = 0
    while piece := response.read(_PIECE):
        size += len(piece)
    connection.close()
    took = time.perf_counter() - began
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
    return (
        f"{path}: {response.status}, {size / 1e6:,.0f} MB in {took:.0f} s, "
        f"peak {int(peak) // 1024:,} MB resident"
    )


@contextmanager
def _load(port: int, contract: dict[str, Any], rate: int, times: list[float]) -> Iterator[None]:
    """Send single predictions at an even rate until the block ends."""
    is_over = threading.Event()
    maker = InstanceMaker(contract, Random(0))  # noqa: S311  # no secret
    bodies = [json.dumps(maker.make(missing_share=0.2)) for _ in range(1_000)]

    def send(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        due = time.perf_counter() + number / rate
        for turn in range(number, 10**9, _SENDERS):
            if is_over.wait(max(due - time.perf_counter(), 0)):
                break
            due += _SENDERS / rate
            began = time.perf_counter()
            body = bodies[turn % len(bodies)]
            connection.request("POST", "/predict", body, {"content-type": "application/json"})
            response = connection.getresponse()
            response.read()
            if response.status == http.client.OK:
                times.append(time.perf_counter() - began)

    senders = [threading.Thread(target=send, args=(each,)) for each in range(_SENDERS * bool(rate))]
    for sender in senders:
        sender.start()
    try:
        yield
    finally:
        is_over.set()
        for sender in senders:
            sender.join()


def _quantiles(times: Sequence[float]) -> tuple[float, ...]:
    ordered = sorted(times)
    last = len(ordered) - 1
    return tuple(1e3 * ordered[math.floor(share * last)] for share in (0, 0.5, 0.95, 0.99))


def _get(port: int, path: str, accept: str = "application/json") -> tuple[bytes, float]:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path, headers={"Accept": accept})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    if response.status != http.client.OK:
        raise RuntimeError(f"{path}: {response.status} {content[:300]!r}")
    return content, time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
