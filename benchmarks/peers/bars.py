"""What Sextant has to reach, measured, and whether it does."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from statistics import median

from benchmarks.peers import steady
from benchmarks.peers.commits import BareCommits
from benchmarks.peers.contenders import CONTENDERS, EMPTY, EMPTY_32, NODE, OURS, Contender
from benchmarks.peers.plan import Plan
from benchmarks.peers.rounds import Results, load, started, warm_up
from benchmarks.peers.starting import Running

# Connections, an empty route, and the least share of its requests/s; one connection alone is bound
# by its commit.
_BESIDE_EMPTY = ((32, EMPTY, 1.0), (32, EMPTY_32, 0.8), (8, EMPTY, 0.8), (8, EMPTY_32, 0.8))
# Of the highest rate, and how far the slowest hundredth may then be from the median.
_RATE_SHARE, _MOST_P99 = 0.7, 3.0
# Long enough for checkpoints to fall into it.
_STEADY_S = 20
# What a request may wait beyond its commit.
_BESIDE_COMMIT_MS = 0.5
_MOST_EXPLAINED = 1.3
_BATCH_SHARES = {"V2 binary": 0.8, "Parquet": 0.8, "JSON": 0.5}
_MOST_START_CPU_S = 0.8
_SPIN = "import time\nend = time.monotonic() + 120\nwhile time.monotonic() < end: pass"


@dataclass(frozen=True)
class Bar:
    """One line of the table; `is_met` is None for what was not measured."""

    name: str
    measured: str
    is_met: bool | None


def measure_bars(plan: Plan, results: Mapping[str, Results]) -> Iterator[Bar]:
    """Measure what the rounds have not, and compare all of it."""
    yield from _beside_empty(plan, results)
    yield from _above_peers({name: each for name, each in results.items() if not each.reason})
    commits = _make_commits(plan)
    with started(plan, OURS) as ours:
        yield _beside_commit(plan, ours, commits)
        yield from _at_constant_rate(plan, ours, results)
        yield _beside_a_busy_core(plan, ours)
    commits.close()
    if not plan.is_short:
        yield _explained(plan)
    yield from _batches(plan, results)
    start_s = median(results[OURS.name].start_cpu_s)
    name = f"first 200 from a cold start: at most {_MOST_START_CPU_S} s of CPU"
    yield Bar(name, f"{start_s:.2f} s", start_s <= _MOST_START_CPU_S)


def _beside_empty(plan: Plan, results: Mapping[str, Results]) -> Iterator[Bar]:
    for connections, empty, least in _BESIDE_EMPTY:
        if connections in plan.connections:
            ratios = _ratios(results, empty, connections)
            name = f"{connections} connections: at least {least} of the requests/s of the "
            measured = f"{median(ratios):.2f}{_spread(ratios)}"
            yield Bar(name + empty.title, measured, median(ratios) >= least)


def _above_peers(results: Mapping[str, Results]) -> Iterator[Bar]:
    beside = {
        each.title: _ratios(results, each, 32)
        for each in CONTENDERS
        if each.predicts
        and each not in (OURS, NODE)
        and each.name in results
        and 32 in results[each.name].figures
    }
    if beside:
        fastest = min(beside, key=lambda title: median(beside[title]))
        ratios = beside[fastest]
        measured = f"{median(ratios):.2f}{_spread(ratios)} of {fastest}, the fastest"
        name = "32 connections: more requests/s than every Python peer"
        yield Bar(name, measured, median(ratios) > 1)


def _ratios(results: Mapping[str, Results], other: Contender, connections: int) -> list[float]:
    """Return the ratio in each round, whose turns met the same machine."""
    pairs = zip(
        results[OURS.name].figures[connections],
        results[other.name].figures[connections],
        strict=True,
    )
    return [mine.requests_per_s / theirs.requests_per_s for mine, theirs in pairs]


def _make_commits(plan: Plan) -> BareCommits:
    with started(plan, OURS) as server:
        log = server.database
    return BareCommits(log, plan.scratch / "bare.duckdb")


def _beside_commit(plan: Plan, ours: Running, commits: BareCommits) -> Bar:
    pairs = [
        (commits.p50_ms(plan.seconds / 2), load(ours, plan, connections=1).p50_ms)
        for _ in range(plan.rounds)
    ]
    commit, served = (median(each) for each in zip(*pairs, strict=True))
    beside = median(served - commit for commit, served in pairs)
    return Bar(
        f"one connection: p50 at most that of one commit and {_BESIDE_COMMIT_MS} ms",
        f"{served:.2f} ms, a commit {commit:.2f} ms",
        beside <= _BESIDE_COMMIT_MS,
    )


def _at_constant_rate(plan: Plan, ours: Running, results: Mapping[str, Results]) -> Iterator[Bar]:
    name = f"p99 at {_RATE_SHARE:.0%} of the highest rate: at most {_MOST_P99:g} times p50"
    if not steady.is_here():
        yield Bar(name, "not measured: no h2load here, apt-get install nghttp2-client", None)
        return
    rate = _RATE_SHARE * results[OURS.name].middle(steady.CONNECTIONS, "requests_per_s")
    body = OURS.formats[0].write(plan.rows[:1])
    seconds = plan.seconds if plan.is_short else _STEADY_S
    found = steady.at_rate(ours, body, plan.scratch, rate=rate, seconds=seconds)
    measured = (
        f"{found.p99_ms / found.p50_ms:.1f}: {found.p50_ms:.1f} and {found.p99_ms:.1f} ms at "
        f"{found.requests_per_s:,.0f} requests/s, {found.checkpoints} checkpoints among them"
    )
    yield Bar(name, measured, found.p99_ms <= _MOST_P99 * found.p50_ms)


def _beside_a_busy_core(plan: Plan, ours: Running) -> Bar:
    quiet, busy = [], []
    for _ in range(plan.rounds):
        quiet.append(load(ours, plan, connections=32).requests_per_s)
        with _spinning():
            busy.append(load(ours, plan, connections=32).requests_per_s)
    ratios = [free / taken for free, taken in zip(quiet, busy, strict=True)]
    return Bar(
        "32 connections: not slower with all cores free than with one taken",
        f"{median(ratios):.2f}{_spread(ratios)}: {median(quiet):,.0f} and {median(busy):,.0f} "
        "requests/s",
        median(ratios) >= 1,
    )


def _explained(plan: Plan) -> Bar:
    with ExitStack() as stack:
        # Both run at once: whichever is not asked has nothing to do.
        plain = replace(OURS, name="ours without", model="plain.onnx")
        servers = [stack.enter_context(started(plan, each)) for each in (OURS, plain)]
        for server in servers:
            warm_up(server, plan)
        ratios = []
        for _ in range(plan.rounds):
            with_it, without = (load(each, plan, connections=32).cpu_us for each in servers)
            ratios.append(with_it / without)
    return Bar(
        f"explained, 32 connections: at most {_MOST_EXPLAINED} times the CPU of the model without",
        f"{median(ratios):.2f}{_spread(ratios)}",
        median(ratios) <= _MOST_EXPLAINED,
    )


def _batches(plan: Plan, results: Mapping[str, Results]) -> Iterator[Bar]:
    size = max(plan.sizes)
    for form, least in _BATCH_SHARES.items():
        ratio = results[OURS.name].batches[form, size].ratio
        name = f"{size:,} rows as {form}: at least {least} of onnxruntime alone on all cores"
        yield Bar(name, f"{ratio:.2f}", ratio >= least)


@contextmanager
def _spinning() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", _SPIN])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _spread(values: list[float]) -> str:
    return f" ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else ""
