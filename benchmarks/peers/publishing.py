"""Write what was measured into the README between its markers, with the circumstances."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers.plan import CORES, Plan
from benchmarks.running import ROOT, commit

README = ROOT / "benchmarks" / "README.md"
CHART = ROOT / "benchmarks" / "peers.svg"
_BEGIN, _END = "<!-- peers: begin, written by make peers -->", "<!-- peers: end -->"

_PICTURE = f"![Requests a second at 32 connections, a bar a contender]({CHART.name})"


def circumstances(plan: Plan) -> str:
    """Return machine, date, commit and versions, taken before anything is measured."""
    memory = re.findall(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    names = re.findall(r"model name\s+: (.+)", Path("/proc/cpuinfo").read_text())
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}, "
        f"Python {platform.python_version()}, {CORES} cores ({names[0] if names else 'unknown'}), "
        f"{int(memory[0]) * 1024 / 1e9:.0f} GB, Linux {platform.release()}, load before the run "
        f"{os.getloadavg()[0]:.1f}; {plan.rounds} rounds of {plan.seconds} s."
    )


def publish(text: str, picture: str) -> None:
    """Put `text` between the markers of the README, and the chart beside it.

    Raises
    ------
    SystemExit
        If the markers are not there once, in their order; nothing is written then.
    """
    before = README.read_text()
    pattern = re.compile(rf"{re.escape(_BEGIN)}\n.*?{re.escape(_END)}", re.DOTALL)
    if len(pattern.findall(before)) != 1:
        raise SystemExit(f"{README} has not the lines {_BEGIN} and {_END}, once each")
    between = f"{_BEGIN}\n{_PICTURE}\n\n{text}\n{_END}"
    README.write_text(pattern.sub(lambda _: between, before))
    CHART.write_text(picture)
