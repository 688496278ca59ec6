"""Load at a constant rate, and by the number of requests, with h2load."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.peers.starting import NotRight, Running

CONNECTIONS = 32


@dataclass(frozen=True)
class Steady:
    """Latencies at a constant rate, in ms, and how often the log was checkpointed meanwhile."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    checkpoints: int


def is_here() -> bool:
    """Tell whether h2load is installed."""
    return shutil.which("h2load") is not None


def at_rate(server: Running, body: bytes, scratch: Path, *, rate: float, seconds: int) -> Steady:
    """Ask `rate` times a second, evenly, over all connections."""
    log = scratch / "h2load.log"
    log.unlink(missing_ok=True)
    each = ["--rps", f"{rate / CONNECTIONS:.2f}", "--duration", str(seconds)]
    with _counting_checkpoints(server.database) as checkpoints:
        _h2load(server, body, scratch, *each, "--log-file", str(log))
    # Start in us, status, time in us; one at the end may be cut short.
    _, status, took = np.loadtxt(log, unpack=True, usecols=(0, 1, 2), ndmin=2)
    if (status != 200).any():
        raise NotRight(f"{(status != 200).sum()} of {len(status)} requests had no 200")
    p50_ms, p99_ms = np.percentile(took / 1e3, (50, 99))
    return Steady(len(took) / seconds, float(p50_ms), float(p99_ms), len(checkpoints))


def requests(server: Running, body: bytes, scratch: Path, number: int) -> None:
    """Ask so many times, as fast as the answers come."""
    _h2load(server, body, scratch, "--requests", str(number))


def _h2load(server: Running, body: bytes, scratch: Path, *options: str) -> None:
    path = scratch / "body"
    path.write_bytes(body)
    command = ["h2load", "--h1", "--clients", str(CONNECTIONS), "--data", str(path), *options]
    command += ["--header", f"content-type: {server.contender.formats[0].media_type}"]
    command.append(f"http://127.0.0.1:{server.port}{server.contender.path}")
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if " 0 failed, 0 errored, 0 timeout" not in text or " 0 4xx, 0 5xx" not in text:
        raise NotRight(f"not everything was answered:\n{text[-800:]}")


@contextmanager
def _counting_checkpoints(database: Path) -> Iterator[list[int]]:
    """Give a list that gets an entry each time the write-ahead log has become shorter."""
    shrunk: list[int] = []
    is_over = threading.Event()
    wal = database.with_name(database.name + ".wal")

    def watch() -> None:
        last = 0
        while not is_over.wait(0.05):
            size = wal.stat().st_size if wal.exists() else 0
            if size < last:
                shrunk.append(last)
            last = size

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield shrunk
    finally:
        is_over.set()
        watching.join()
