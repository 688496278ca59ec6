"""The rounds: every contender in turn, started anew each time, at each number of connections."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from benchmarks.peers.batches import Batch, measure_batches
from benchmarks.peers.contenders import OWN, Contender
from benchmarks.peers.plan import Plan, Raw
from benchmarks.peers.starting import NotRight, Running, running
from benchmarks.wrk import Figures, lua, turn


@dataclass
class Results:
    """What was measured of one contender, a list entry a round; or why it was not."""

    figures: dict[int, list[Figures]] = field(default_factory=dict)
    start_s: list[float] = field(default_factory=list)
    start_cpu_s: list[float] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)
    processes: int = 0
    batches: dict[tuple[str, int], Batch] = field(default_factory=dict)
    reason: str | None = None

    def middle(self, connections: int, name: str) -> float:
        """Return the median of a field of the figures over the rounds."""
        values: list[float] = [getattr(each, name) for each in self.figures[connections]]
        return median(values)


def run_rounds(
    plan: Plan, contenders: Sequence[Contender], reasons: Mapping[str, str]
) -> dict[str, Results]:
    """Measure all, round by round; a peer that does not answer right is out, with the reason.

    Raises
    ------
    SystemExit
        If one that the others are compared with does not.
    """
    results = {each.name: Results(reason=reasons.get(each.name)) for each in contenders}
    for number in range(plan.rounds):
        for contender in contenders:
            result = results[contender.name]
            if result.reason is not None:
                continue
            _tell(f"round {number + 1} of {plan.rounds}: {contender.title}")
            try:
                _measure(plan, contender, result, with_batches=number == 0)
            except (NotRight, SystemExit, OSError) as error:
                result.reason = str(error)
                _tell(f"{contender.title} is out: {error}")
                if contender in OWN:
                    raise SystemExit(f"{contender.title}: {error}") from None
    return results


@contextmanager
def started(plan: Plan, contender: Contender) -> Iterator[Running]:
    """Run a contender that gives the first row the answer of onnxruntime on Sextant's file."""
    one = plan.rows[:1]
    expected = Raw(plan.model("full.onnx"), explain=False).probabilities(one)
    with running(contender, plan.cache, plan.scratch, one, expected) as server:
        yield server


def load(server: Running, plan: Plan, *, connections: int, seconds: int | None = None) -> Figures:
    """Post the first row again and again."""
    script = plan.scratch / f"{server.contender.name}.lua"
    script.write_text(lua(server.contender.formats[0].write(plan.rows[:1])))
    return turn(
        f"http://127.0.0.1:{server.port}{server.contender.path}",
        script,
        connections=connections,
        seconds=seconds or plan.seconds,
        cpu_s=server.processes.cpu_s,
    )


def warm_up(server: Running, plan: Plan) -> None:
    """Let the server do what it does only at first."""
    if not plan.is_short:
        load(server, plan, connections=8, seconds=1)


def _measure(plan: Plan, contender: Contender, result: Results, *, with_batches: bool) -> None:
    with started(plan, contender) as server:
        result.start_s.append(server.start_s)
        result.start_cpu_s.append(server.start_cpu_s)
        warm_up(server, plan)
        for connections in plan.connections:
            figures = load(server, plan, connections=connections)
            result.figures.setdefault(connections, []).append(figures)
        result.resident_mb.append(server.processes.resident_mb())
        result.processes = len(server.processes.ids())
        if with_batches and contender.predicts:
            result.batches.update(measure_batches(plan, server))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
