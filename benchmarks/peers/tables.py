"""The results as tables of Markdown."""

import re
from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks.peers.bars import Bar
from benchmarks.peers.building import HERE
from benchmarks.peers.contenders import EMPTY, Contender
from benchmarks.peers.rounds import Results
from benchmarks.running import ROOT

Measured = Mapping[str, Results]
_MAIN_PACKAGE = {
    "tutorial": "scikit-learn",
    "naive": "onnxruntime",
    "pytriton": "nvidia-pytriton",
    "empty": "waitress",
    "empty32": "waitress",
}


def single_rows(contenders: Sequence[Contender], results: Measured) -> str:
    """Return a line a contender and number of connections: rate, ratio, latency, CPU."""
    head = (
        "| contender | connections | requests/s | spread | of the empty route | p50 ms | p99 ms "
        "| CPU us |"
    )
    lines = []
    for connections in results[EMPTY.name].figures:
        for contender in contenders:
            result = results[contender.name]
            if result.reason is not None:
                continue
            rates = [each.requests_per_s for each in result.figures[connections]]
            lines.append(
                f"| {contender.title} | {connections} | {median(rates):,.0f} "
                f"| {min(rates):,.0f} to {max(rates):,.0f} "
                f"| {_of_empty(results, contender, connections)} "
                f"| {result.middle(connections, 'p50_ms'):.1f} "
                f"| {result.middle(connections, 'p99_ms'):.1f} "
                f"| {result.middle(connections, 'cpu_us'):,.0f} |"
            )
    return _table(head, lines)


def footprints(
    contenders: Sequence[Contender], results: Measured, sizes_mb: Mapping[str, float]
) -> str:
    """Return a line a contender: start, memory, processes and what is installed."""
    head = "| contender | first 200 s | CPU until then s | memory MB | processes | installed MB |"
    lines = [
        f"| {each.title} | {median(result.start_s):.2f} | {median(result.start_cpu_s):.2f} "
        f"| {median(result.resident_mb):.0f} | {result.processes} "
        f"| {sizes_mb[each.name]:.0f} |"
        for each in contenders
        if (result := results[each.name]).reason is None
    ]
    return _table(head, lines)


def batches(contenders: Sequence[Contender], results: Measured, sizes: Sequence[int]) -> str:
    """Return a line a contender and format: rows a second and the share of onnxruntime's."""
    rows = " | ".join(f"{size:,} rows, rows/s | of raw" for size in sizes)
    lines = []
    for contender in contenders:
        for form in contender.formats if contender.predicts else ():
            found = results[contender.name].batches
            cells = []
            for size in sizes:
                one = found.get((form.name, size))
                cells.append(f"{one.rows_per_s:,.0f} | {one.ratio:.2f}" if one else "- | -")
            if any(cell != "- | -" for cell in cells):
                lines.append(f"| {contender.title} | {form.name} | {' | '.join(cells)} |")
    return _table(f"| contender | format | {rows} |", lines)


def given(contenders: Sequence[Contender], results: Measured) -> str:
    """Return a line a contender: its version, what it was given, and why it is missing."""
    lines = [
        f"| {each.title} | {_version(each)} | {each.given} | {_cell(results[each.name].reason)} |"
        for each in contenders
    ]
    return _table("| contender | version | what it was given | not measured, because |", lines)


def bars(measured: Sequence[Bar]) -> str:
    """Return a line a bar."""
    says = {True: "yes", False: "**no**", None: ""}
    lines = [f"| {bar.name} | {bar.measured} | {says[bar.is_met]} |" for bar in measured]
    return _table("| bar | measured | met |", lines)


def _of_empty(results: Measured, contender: Contender, connections: int) -> str:
    empty = results[EMPTY.name]
    # The ratio in each round, for its turns are the nearest in time.
    pairs = zip(
        results[contender.name].figures[connections], empty.figures[connections], strict=True
    )
    return f"{median(mine.requests_per_s / its.requests_per_s for mine, its in pairs):.2f}"


def _version(contender: Contender) -> str:
    if contender.packages == "npm":
        text, package = (HERE / contender.name / "package.json").read_text(), "fastify"
        found = re.search(rf'"{package}": "([^"]+)"', text)
    else:
        package = _MAIN_PACKAGE.get(contender.name, contender.name)
        pinned = ROOT / "requirements-serve.txt"
        if contender.packages:
            pinned = HERE / contender.name / "requirements.txt"
        found = re.search(rf"^{package}(?:\[\w+\])?==(\S+)", pinned.read_text(), re.MULTILINE)
    return f"{package} {found[1]}" if found else "this commit"


def _cell(text: str | None) -> str:
    """Return what stays within a cell of a table."""
    return " ".join((text or "").replace("|", "/").split())[:200]


def _table(head: str, lines: Sequence[str]) -> str:
    return "\n".join([head, "|" + "---|" * (head.count("|") - 1), *lines])
