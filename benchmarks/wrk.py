"""Load one server with wrk for a while and read off what it cost."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_UNITS_IN_MS = {"us": 0.001, "ms": 1.0, "s": 1_000.0}


@dataclass(frozen=True)
class Figures:
    """One turn of one server: latencies in ms, server CPU a request in microseconds."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def turn(
    url: str, script: Path, *, connections: int, seconds: int, cpu_s: Callable[[], float]
) -> Figures:
    """Run wrk with the script at `script`; SystemExit if anything is not answered with 200.

    `cpu_s` tells what the server has used of the cores until now.
    """
    cpu_before = cpu_s()
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--latency"]
    command += ["--duration", f"{seconds}s", "--timeout", "10s", "--script", str(script), url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    used_s = cpu_s() - cpu_before
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{url} did not answer everything:\n{text}")
    return Figures(
        requests_per_s=float(_found(r"Requests/sec:\s+([\d.]+)", text)[0]),
        p50_ms=_milliseconds(text, 50),
        p99_ms=_milliseconds(text, 99),
        cpu_us=1e6 * used_s / max(int(_found(r"(\d+) requests in", text)[0]), 1),
    )


def _milliseconds(text: str, percent: int) -> float:
    number, unit = _found(rf"{percent}%\s+([\d.]+)(us|ms|s)", text)
    return float(number) * _UNITS_IN_MS[unit]


def _found(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    if not match:
        raise SystemExit(f"wrk printed something else than expected:\n{text}")
    return match.groups()


def lua(body: bytes) -> str:
    """Return the script that makes wrk post a body of JSON."""
    # JSON text quoted a second time is a string of Lua: only quotes and backslashes are escaped.
    return (
        'wrk.method = "POST"\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = {json.dumps(body.decode())}\n"
    )
