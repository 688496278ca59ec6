"""Load one server with wrk for a while and read off what it cost."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.instances import Instance

_UNITS_IN_MS = {"us": 0.001, "ms": 1.0, "s": 1_000.0}


@dataclass(frozen=True)
class Contender:
    """A server that runs, and how it is called in the table."""

    name: str
    url: str
    pid: int


@dataclass(frozen=True)
class Figures:
    """One turn of one contender: latencies in ms, server CPU a request in microseconds."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def turn(contender: Contender, script: Path, *, connections: int, seconds: int) -> Figures:
    """Run wrk with the script at `script`; SystemExit if anything is not answered with 200."""
    cpu_before = cpu_s(contender.pid)
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--latency"]
    command += ["--duration", f"{seconds}s", "--script", str(script), f"{contender.url}/predict"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    taken_s = cpu_s(contender.pid) - cpu_before
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{contender.name} did not answer everything:\n{text}")
    return Figures(
        requests_per_s=float(_found(r"Requests/sec:\s+([\d.]+)", text)[0]),
        p50_ms=_milliseconds(text, 50),
        p99_ms=_milliseconds(text, 99),
        cpu_us=1e6 * taken_s / int(_found(r"(\d+) requests in", text)[0]),
    )


def _milliseconds(text: str, percent: int) -> float:
    number, unit = _found(rf"{percent}%\s+([\d.]+)(us|ms|s)", text)
    return float(number) * _UNITS_IN_MS[unit]


def _found(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    if not match:
        raise SystemExit(f"wrk printed something else than expected:\n{text}")
    return match.groups()


def cpu_s(pid: int) -> float:
    """Return the processor time of a process, in seconds."""
    # Fields 14 and 15 of proc(5), user and system time in ticks; the name before may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Return what the process holds in memory, in MB of 10^6 bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(_found(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024 / 1e6


def lua(instance: Instance) -> str:
    """Return the script that makes wrk post `instance`."""
    # JSON text quoted a second time is a string of Lua: only quotes and backslashes are escaped.
    return (
        'wrk.method = "POST"\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = {json.dumps(json.dumps(instance))}\n"
    )
