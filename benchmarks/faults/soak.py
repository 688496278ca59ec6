"""A server under load for an hour, with readers, SQL and exports: ``... faults.soak --minutes 60``.

The highest rate is measured first; then clients ask at 70 % of it while others read the log, query
it and export it. Every second is noted, drawn into an SVG, and the log is audited at the end.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.faults.clients import Clients
from benchmarks.faults.drawing import Panel, draw
from benchmarks.faults.outcome import HEAD
from benchmarks.faults.server import Server
from benchmarks.faults.trial import Trial
from benchmarks.running import ROOT

SHARE = 0.7
_CLIENTS = 16
_SIZES = (1,) * 19 + (20,)
# What readers ask, and how long they pause after each, in seconds.
_READS = {
    "/predictions?format=json&limit=50": 1.0,
    "/predictions?view=pictures": 10.0,
    "/sql.json?q=SELECT+label,count(*)+FROM+predictions+GROUP+BY+ALL": 5.0,
    "/monitor?format=json": 20.0,
    "/predictions.parquet": 60.0,
}
_NOTE_EVERY_S = 1.0
_MB = 2**20


class Noted(NamedTuple):
    """One second: latencies in milliseconds, sizes in megabytes."""

    at_s: float
    answers: int
    p50_ms: float
    p99_ms: float
    memory_mb: float
    file_mb: float
    wal_mb: float
    queue_rows: float


def main() -> int:
    """Soak, draw, and return 0 if the rule was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, help="requests/s; unless given, 70 %% of the highest")
    parser.add_argument("--svg", type=Path, default=ROOT / "benchmarks" / "soak.svg")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sextant-soak-") as folder:
        trial = Trial("soak", 1, Path(folder))
        try:
            notes = _soak(trial, 60 * options.minutes, options.rate)
        finally:
            trial.end_servers()
        outcome = trial.outcome()
    draw(options.svg, _panels(notes))
    print(f"{HEAD}\n{outcome}\n")
    _print_quarters(notes)
    print(f"\n{options.svg}", *outcome.complaints, sep="\n  ")
    return 0 if outcome.is_kept else 1


def _soak(trial: Trial, seconds: float, rate: float | None) -> list[Noted]:
    server = trial.server()
    server.start()
    rate = rate or SHARE * _highest_rate(trial, server)
    print(f"{rate:.0f} requests/s for {seconds / 60:g} minutes\n", flush=True)
    is_over = threading.Event()
    readers = [
        threading.Thread(target=_read, args=(trial, server, path, pause, is_over))
        for path, pause in _READS.items()
    ]
    with trial.asking(server, count=_CLIENTS, sizes=_SIZES, every_s=_CLIENTS / rate) as clients:
        for reader in readers:
            reader.start()
        notes = _note(server, clients, seconds)
        is_over.set()
        for reader in readers:
            reader.join()
    trial.check_retries(server)
    trial.stop(server)
    return notes


def _highest_rate(trial: Trial, server: Server, seconds: float = 5.0) -> float:
    before = trial.ledger.requests
    with trial.asking(server, count=_CLIENTS, sizes=_SIZES):
        time.sleep(seconds)
    return (trial.ledger.requests - before) / seconds


def _read(
    trial: Trial, server: Server, path: str, pause_s: float, is_over: threading.Event
) -> None:
    while not is_over.wait(pause_s):
        status, answer = server.ask(path)
        trial.require(status == 200, f"{path}: {status}: {str(answer)[:200]}")


def _note(server: Server, clients: Clients, seconds: float) -> list[Noted]:
    began = time.monotonic()
    notes: list[Noted] = []
    clients.take_times()
    while (now := time.monotonic() - began) < seconds:
        time.sleep(_NOTE_EVERY_S)
        took = sorted(clients.take_times())
        p50, p99 = (1e3 * took[int((len(took) - 1) * part)] if took else 0 for part in (0.5, 0.99))
        sizes = (_memory_mb(server.pid), _size_mb(server.database), _size_mb(server.wal))
        notes.append(Noted(now, len(took), p50, p99, *sizes, _queue_rows(server)))
    return notes


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _size_mb(path: Path) -> float:
    try:
        return path.stat().st_size / _MB
    except FileNotFoundError:
        return 0.0


def _queue_rows(server: Server) -> float:
    lines = str(server.ask("/metrics")[1]).splitlines()
    found = [line for line in lines if line.startswith("prediction_log_queue_rows ")]
    return float(found[0].split()[1]) if found else 0.0


def _panels(notes: list[Noted]) -> list[Panel]:
    def line(value: Callable[[Noted], float]) -> list[tuple[float, float]]:
        return [(each.at_s / 60, value(each)) for each in notes]

    return [
        Panel("answers a second", {"answers": line(lambda each: each.answers)}),
        Panel(
            "latency, ms",
            {"p50": line(lambda each: each.p50_ms), "p99": line(lambda each: each.p99_ms)},
        ),
        Panel("memory, MB", {"resident": line(lambda each: each.memory_mb)}),
        Panel(
            "files, MB",
            {
                "database": line(lambda each: each.file_mb),
                "write-ahead log": line(lambda each: each.wal_mb),
            },
        ),
        Panel("rows waiting", {"rows": line(lambda each: each.queue_rows)}),
    ]


def _print_quarters(notes: list[Noted]) -> None:
    """Print the means of each quarter of the time: what grows, shows."""
    print("| minutes | answers/s | p50 ms | p99 ms | memory MB | file MB | WAL MB | waiting rows |")
    print("|---|---|---|---|---|---|---|---|")
    for quarter in range(4):
        part = notes[quarter * len(notes) // 4 : (quarter + 1) * len(notes) // 4]
        if part:
            means = [sum(values) / len(part) for values in zip(*part, strict=True)]
            cells = [f"{each:.1f}" for each in means[1:]]
            print(f"| to {part[-1].at_s / 60:.1f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())
