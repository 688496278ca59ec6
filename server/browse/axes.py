"""Axes of pictures: bins that begin and end at round numbers, and where their ticks stand."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_STEPS_S = [
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600 * hours for hours in (1, 2, 3, 6, 12)),
    *(86_400 * days for days in (1, 2, 7, 14, 28, 91, 182, 364)),
]
# A picture over time has at least so many bins.
_FEWEST_TIMES = 12
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, in percent of its length, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Axis:
    """`n` bins of the same width from `low` on; times are seconds since 1970, UTC."""

    low: float
    width: float
    n: int
    ticks: Sequence[Tick]

    @property
    def high(self) -> float:
        """The end of the last bin."""
        return self.low + self.n * self.width

    def edge(self, number: int) -> float:
        """Return where the bin of this number begins."""
        return self.low + number * self.width


def number_axis(low: float, high: float, n: int, *, whole: bool = False) -> Axis:
    """Return an axis of about `n` bins over `low` to `high`, for whole numbers of whole bins."""
    if high <= low:
        reach = max(abs(low) * 1e-3, 0.5)
        low, high = low - reach, high + reach
    if whole:
        low, high = math.floor(low), math.floor(high) + 1
        width = -(-(high - low) // n)
        bins = -(-(high - low) // width)
        return Axis(low, width, bins, _number_ticks(low, low + bins * width))
    return Axis(low, (high - low) / n, n, _number_ticks(low, high))


def time_axis(begin: datetime, end: datetime, n: int) -> Axis:
    """Return an axis of at most `n` bins of a round length that holds `begin` and `end`."""
    first, last = ((each - _EPOCH).total_seconds() for each in (begin, end))
    width = next(
        (step for step in _STEPS_S if last // step - first // step < n),
        math.ceil((last - first) / (n - 1) / 86_400) * 86_400,
    )
    bins = int(last // width - first // width) + 1
    # A moment is a narrow bar at the end, and not as wide as the picture.
    bins = max(bins, min(_FEWEST_TIMES, n))
    low = (last // width + 1 - bins) * width
    return Axis(low, width, bins, _time_ticks(low, low + bins * width))


def to_time(seconds: float) -> datetime:
    """Return seconds since 1970 as a time in UTC without a zone."""
    return _EPOCH + timedelta(seconds=seconds)


def number_text(number: float) -> str:
    """Return a number as briefly as an axis needs it, with a true minus sign."""
    return f"{number:.4g}".replace("-", "\N{MINUS SIGN}")


def _number_ticks(low: float, high: float, about: int = 5) -> list[Tick]:
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(each for each in (1, 2, 5, 10) if each * power >= rough * 0.999)
    digits = max(0, -math.floor(math.log10(step)))
    numbers = [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return [
        Tick(_percent(number, low, high), _tick_text(round(number, digits), digits))
        for number in numbers
    ]


def _tick_text(number: float, digits: int) -> str:
    if abs(number) >= 1e6 or digits > 5:
        return number_text(number)
    return f"{number + 0.0:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _time_ticks(low: float, high: float, about: int = 6) -> list[Tick]:
    steps = (step for step in _STEPS_S if (high - low) / step <= about)
    step = next(steps, math.ceil((high - low) / about / 86_400) * 86_400)
    first = math.ceil(low / step)
    times = [n * step for n in range(first, math.floor(high / step) + 1)]
    return [Tick(_percent(each, low, high), _time_text(each, step)) for each in times]


def _time_text(seconds: float, step: float) -> str:
    time = datetime.fromtimestamp(seconds, UTC)
    if step >= 86_400 or (time.hour, time.minute, time.second) == (0, 0, 0):
        return f"{time.day} {time:%b}"
    return f"{time:%H:%M}" if step >= 60 else f"{time:%H:%M:%S}"


def _percent(value: float, low: float, high: float) -> float:
    return round(100 * (value - low) / (high - low), 2)
