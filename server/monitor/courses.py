"""Draw how figures went over time, and how a quantity lies in the window and in training."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from server.browse.axes import Axis, number_text
from server.browse.drawing import Bar, Bars, Part
from server.monitor.accuracy import Judged
from server.monitor.windows import Moment
from server.pages.place_words import share_of

Words = Callable[[int], str]


@dataclass(frozen=True)
class Course:
    """Bars over time, what the highest of them says, and a line to compare them with, if any."""

    drawn: Bars
    top: str
    line: float | None = None
    bottom: str = ""


@dataclass(frozen=True)
class Pair:
    """One bin of a quantity: its shares of the training rows and of the window, and heights."""

    name: str
    known: float
    live: float
    adds: float
    known_height: float
    live_height: float


def draw_shares(
    moments: Sequence[Moment],
    axis: Axis,
    share_at: Callable[[Moment], float | None],
    known: float | None,
    begins: Words,
    address_of: Words,
) -> Course | None:
    """Draw a share by the bin of time, and a line where the contract has it."""
    shares = [(moment, share_at(moment)) for moment in moments]
    found = [(moment, share) for moment, share in shares if share is not None]
    if not found:
        return None
    top = max([share for _, share in found] + [known or 0.0]) or 1.0
    bars = [
        Bar(
            moment.number,
            [Part("plain", *_from_below(share, top))] if share else [],
            moment.rows,
            f"{begins(moment.number)}: {share_of(share)} of {moment.rows:,}",
            address_of(moment.number),
        )
        for moment, share in found
    ]
    line = None if known is None else round(100 - 100 * known / top, 2)
    return Course(Bars(axis, bars, moments[0].rows), share_of(top), line)


def draw_latency(
    moments: Sequence[Moment], axis: Axis, begins: Words, address_of: Words
) -> Course | None:
    """Draw the 99th, 95th and 50th percentile of each bin of time, one before the other."""
    found = [
        (moment, ms)
        for moment in moments
        if len(ms := [each for each in moment.latency_ms if each is not None]) == 3
    ]
    if not found:
        return None
    top = max(max(ms) for _, ms in found) or 1.0
    bars = []
    for moment, (p50, p95, p99) in found:
        parts = [
            Part(f"plain shade-{shade}", *_from_below(ms, top))
            for ms, shade in ((p99, 1), (p95, 2), (p50, 4))
        ]
        text = f"{begins(moment.number)}: p50 {p50:.3g} ms, p95 {p95:.3g} ms, p99 {p99:.3g} ms"
        bars.append(Bar(moment.number, parts, moment.requests, text, address_of(moment.number)))
    return Course(Bars(axis, bars, len(bars)), f"{number_text(top)} ms")


def draw_judged(
    judged: Mapping[int, Judged],
    axis: Axis,
    known: float | None,
    text_of: Callable[[float], str],
    begins: Words,
    address_of: Words,
) -> Course | None:
    """Draw the accuracy, or the mean error, of each bin of time as a mark in its interval."""
    found = [(number, each, each.mean) for number, each in judged.items() if each.mean is not None]
    if not found:
        return None
    ends = [end for _, each, _ in found for end in each.interval]
    low, high = min([*ends, *([known] if known else [])]), max([*ends, *([known] if known else [])])
    span = (high - low) or 1.0

    def from_above(value: float) -> float:
        return 100 - 100 * (value - low) / span

    bars = []
    for number, each, mean in found:
        least, most = each.interval
        spread = Part(
            "plain shade-1", round(from_above(most), 2), round(100 * (most - least) / span, 2)
        )
        mark = Part("plain shade-4", round(min(max(from_above(mean) - 1.5, 0), 97), 2), 3)
        ends_text = f"{text_of(least)} to {text_of(most)}"
        text = f"{begins(number)}: {text_of(mean)}, {ends_text}, of {each.rows:,}"
        bars.append(Bar(number, [spread, mark], each.rows, text, address_of(number)))
    line = None if known is None else round(from_above(known), 2)
    return Course(Bars(axis, bars, len(bars)), text_of(high), line, text_of(low))


def draw_mix(drawn: Bars) -> Bars:
    """Return the bars of counts by label as shares: each as high as the picture."""
    bars = []
    for bar in drawn.bars:
        whole = sum(part.height for part in bar.parts) or 1.0
        parts, below = [], 0.0
        for part in bar.parts:
            below += 100 * part.height / whole
            parts.append(Part(part.css, round(100 - below, 2), round(100 * part.height / whole, 2)))
        bars.append(Bar(bar.number, parts, bar.total, bar.text, bar.address))
    return Bars(drawn.axis, bars, drawn.top)


def draw_pairs(
    names: Sequence[str], known: Sequence[float], live: Sequence[float], adds: Sequence[float]
) -> list[Pair]:
    """Return the bins of a quantity that hold anything, with bars that reach up to the largest."""
    m, n = sum(known) or 1, sum(live) or 1
    shares = [(a / m, b / n) for a, b in zip(known, live, strict=True)]
    top = max((max(pair) for pair in shares), default=0) or 1
    return [
        Pair(name, a, b, part, round(100 * a / top, 2), round(100 * b / top, 2))
        for name, (a, b), part in zip(names, shares, adds, strict=True)
        if a or b
    ]


def _from_below(value: float, top: float) -> tuple[float, float]:
    height = round(100 * value / top, 2)
    return round(100 - height, 2), height
