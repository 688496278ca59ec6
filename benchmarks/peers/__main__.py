"""Measure the server beside its peers: ``python -m benchmarks.peers``, or ``make peers``.

What a whole run finds is written into ``benchmarks/README.md``; any other is printed alone.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.peers import bars, building, long_bars, tables
from benchmarks.peers.chart import chart
from benchmarks.peers.contenders import CONTENDERS, OWN, Contender
from benchmarks.peers.plan import Plan, make_rows
from benchmarks.peers.publishing import circumstances, publish
from benchmarks.peers.rounds import Results, run_rounds
from benchmarks.running import ROOT

_CONNECTIONS, _SIZES = (1, 8, 32), (1, 100, 10_000)
_SHORT: dict[str, Any] = {"rounds": 1, "seconds": 1, "connections": (1, 32), "sizes": (1, 100)}


def main() -> int:
    """Build, measure, and write; 0 also where there is no wrk to measure with."""
    # Servers are ended on the way out, whatever ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    options = _options()
    if not shutil.which("wrk"):
        print("wrk is not installed, so nothing was compared: apt-get install wrk")
        return 0
    contenders = _chosen(options)
    reasons = _build(options, contenders)
    if options.build:
        return 0
    with tempfile.TemporaryDirectory(prefix="sextant-peers-") as folder:
        plan = _plan(options, Path(folder))
        head = circumstances(plan)
        print(f"{head}\n", flush=True)
        results = run_rounds(plan, contenders, reasons)
        sizes_mb = {each.name: building.installed_mb(each, plan.cache) for each in contenders}
        measured = _bars(options, plan, results)
    text = _text(plan, head, contenders, results, sizes_mb, measured)
    print(text)
    if contenders == CONTENDERS and not options.short:
        publish(text, chart(contenders, results))
        print("\nwritten into benchmarks/README.md and benchmarks/peers.svg")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="peers beside what needs no building")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender (3)")
    parser.add_argument("--seconds", type=int, default=2, help="length of a turn (2)")
    parser.add_argument("--artifacts", type=Path, default=ROOT / "artifacts", help="of make model")
    parser.add_argument("--build", action="store_true", help="make the environments, and end")
    parser.add_argument("--short", action="store_true", help="one round, nothing that is built")
    parser.add_argument("--million", action="store_true", help="memory over a million requests")
    parser.add_argument("--score", action="store_true", help="score of five million rows")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> Sequence[Contender]:
    unknown = set(options.only) - {each.name for each in CONTENDERS}
    if unknown:
        names = ", ".join(each.name for each in CONTENDERS)
        raise SystemExit(f"no such peer: {', '.join(sorted(unknown))}; there are {names}")
    if options.short:
        return OWN
    if not options.only:
        return CONTENDERS
    return tuple(each for each in CONTENDERS if each in OWN or each.name in options.only)


def _build(options: argparse.Namespace, contenders: Sequence[Contender]) -> dict[str, str]:
    """Make what is missing; return why it could not be, by contender."""
    cache, reasons = options.artifacts / "peers", {}
    if not options.short:
        building.make_models(options.artifacts, cache / "model")
    for contender in contenders:
        try:
            building.make_environment(contender, cache)
        except building.NotBuilt as error:
            reasons[contender.name] = f"not built: {error}"
            print(f"{contender.title}: {error}", file=sys.stderr, flush=True)
    return reasons


def _plan(options: argparse.Namespace, scratch: Path) -> Plan:
    cache = options.artifacts / "peers"
    if options.short:
        # There may be no pipeline: the file we ship is served by all.
        cache = scratch / "cache"
        (cache / "model").mkdir(parents=True)
        for name in ("full.onnx", "plain.onnx"):
            (cache / "model" / name).symlink_to(ROOT / "models" / "sdss.onnx")
    rows, name = make_rows(cache / "model" / "full.onnx")
    plan = Plan(
        rounds=options.rounds,
        seconds=options.seconds,
        connections=_CONNECTIONS,
        sizes=_SIZES,
        is_short=options.short,
        cache=cache,
        scratch=scratch,
        rows=rows,
        model_name=name,
    )
    return replace(plan, **_SHORT) if options.short else plan


def _bars(
    options: argparse.Namespace, plan: Plan, results: dict[str, Results]
) -> Sequence[bars.Bar]:
    measured = list(bars.measure_bars(plan, results))
    if options.million:
        measured.append(long_bars.million(plan))
    if options.score:
        measured.append(long_bars.score())
    return measured


def _text(
    plan: Plan,
    head: str,
    contenders: Sequence[Contender],
    results: dict[str, Results],
    sizes_mb: dict[str, float],
    measured: Sequence[bars.Bar],
) -> str:
    return "\n\n".join(
        [
            head,
            "What Sextant has to reach:",
            tables.bars(measured),
            "One row a request:",
            tables.single_rows(contenders, results),
            "Start, memory and size:",
            tables.footprints(contenders, results, sizes_mb),
            "Batches, over one connection:",
            tables.batches(contenders, results, plan.sizes),
            "What each is and was given:",
            tables.given(contenders, results),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
