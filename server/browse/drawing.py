"""From counts to the bars of pictures; colours and sizes are the style sheet's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from server.browse.aggregates import Counts
from server.browse.axes import Axis

# As many colours tell classes apart.
_COLOURS = 8


@dataclass(frozen=True)
class Series:
    """The predictions of one label; None is a model that answers a number."""

    label: str | None
    css: str
    count: int
    share: float

    @property
    def name(self) -> str:
        """What the series is called."""
        return "a number" if self.label is None else self.label


@dataclass(frozen=True)
class Part:
    """A piece of a bar, in its bins and in percent of the height from above."""

    css: str
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    """One bin: its number, its pieces, what it says, and where one sees what lies in it."""

    number: int
    parts: Sequence[Part]
    total: int
    text: str
    address: str


@dataclass(frozen=True)
class Bars:
    """A histogram, stacked by label."""

    axis: Axis
    bars: Sequence[Bar]
    top: int


def to_series(by_label: Mapping[str | None, int], class_names: Sequence[str]) -> list[Series]:
    """Return the series of the labels: those of the served model in its order, then the others."""
    total = sum(by_label.values())
    others = [label for label in by_label if label not in class_names]
    return [
        Series(
            label,
            "plain" if label is None else f"class-{number % _COLOURS}",
            by_label.get(label, 0),
            by_label.get(label, 0) / total if total else 0.0,
        )
        for number, label in enumerate([*class_names, *others])
        if by_label.get(label, 0)
    ]


def draw_bars(
    counts: Counts,
    axis: Axis,
    series: Sequence[Series],
    text_of: Callable[[int], str],
    address_of: Callable[[int], str],
) -> Bars:
    """Stack the counts of each bin; the highest bar is as high as the picture."""
    totals = dict.fromkeys(range(axis.n), 0)
    for (number, _), n in counts.items():
        totals[number] += n
    top = max(totals.values(), default=0)
    bars = []
    for number, total in totals.items():
        if total:
            parts = _stack([(s.css, counts.get((number, s.label), 0)) for s in series], top)
            bars.append(Bar(number, parts, total, text_of(number), address_of(number)))
    return Bars(axis, bars, top)


def _stack(counts: Sequence[tuple[str, int]], top: int) -> list[Part]:
    parts, below = [], 0
    for css, n in counts:
        if n:
            below += n
            parts.append(
                Part(css, round(100 - 100 * below / top, 2), max(round(100 * n / top, 2), 0.4))
            )
    return parts
