"""What chance alone does to counts, so that an alarm is none of its doing."""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# More rows than anybody waits for: a smallest sample beyond is none.
_MOST_ROWS = 10**9


@dataclass(frozen=True)
class Counts:
    """How many rows lie in each bin: of the window, and of the rows the contract describes."""

    live: Sequence[float]
    known: Sequence[float]

    @property
    def n(self) -> float:
        """Rows of the window."""
        return sum(self.live)

    @property
    def m(self) -> float:
        """Rows of the contract."""
        return sum(self.known)

    @property
    def filled(self) -> int:
        """Bins in which there is anything at all; the others say nothing."""
        return sum(a + b > 0 for a, b in zip(self.live, self.known, strict=True))


def stability_index(counts: Counts) -> list[float]:
    """Return what each bin adds to the population stability index; the sum is the index.

    The index is the sum of (p - q) ln(p / q) over the shares p of the window and q of the contract.
    Half a row is added to each bin, so that an empty one has a logarithm; a bin that is empty on
    both sides is left out.

    References
    ----------
    B. Yurdakul, J. Naranjo, Statistical properties of the population stability index, Journal of
    Risk Model Validation 14, 2020; H. Jeffreys, Theory of Probability, 1961, for the half row.
    """
    half = counts.filled / 2
    parts = []
    for a, b in zip(counts.live, counts.known, strict=True):
        p, q = (a + 0.5) / (counts.n + half), (b + 0.5) / (counts.m + half)
        parts.append((p - q) * math.log(p / q) if a + b > 0 else 0.0)
    return parts


def index_by_chance(counts: Counts, rate: float) -> float:
    """Return the index that chance alone passes at the given rate, nothing having changed.

    The index of n rows against m is then about (1 / n + 1 / m) times chi-square, with one degree
    of freedom fewer than there are bins.

    References
    ----------
    As for `stability_index`.
    """
    if counts.filled < 2 or not counts.n or not counts.m:
        return math.inf
    return chi_square_quantile(1 - rate, counts.filled - 1) * (1 / counts.n + 1 / counts.m)


def rows_for_index(counts: Counts, rate: float, index: float) -> int | None:
    """Return the least rows in which `index` is more than chance does; None: too few known."""
    if counts.filled < 2 or not counts.m:
        return None
    quantile = chi_square_quantile(1 - rate, counts.filled - 1)
    room = index - quantile / counts.m
    rows = math.ceil(quantile / room) if room > 0 else _MOST_ROWS
    return rows if rows < _MOST_ROWS else None


@functools.cache
def chi_square_quantile(p: float, df: int) -> float:
    """Return the value below which a chi-square variable lies with probability `p`."""
    low, high = 0.0, float(df)
    while _chi_square_above(high, df) > 1 - p:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _chi_square_above(middle, df) > 1 - p else (low, middle)
    return high


def _chi_square_above(x: float, df: int) -> float:
    """Return the upper tail of chi-square: a finite sum where the degrees are a whole number.

    References
    ----------
    M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions, 1964, 26.4.4 and 26.4.5.
    """
    half = x / 2
    above = math.erfc(math.sqrt(half)) if df % 2 else 0.0
    first = 0.5 if df % 2 else 0.0
    terms = (first + k for k in range(df // 2))
    return above + sum(
        math.exp(power * math.log(half) - half - math.lgamma(power + 1)) if half else not power
        for power in terms
    )


def chance_of_more(k: int, n: int, known: int, m: int) -> float:
    """Return how often chance gives `k` or more of `n` rows, where `known` of `m` were so.

    The upper tail of the hypergeometric distribution: exact, however few the rows.

    References
    ----------
    R. A. Fisher, The logic of inductive inference, Journal of the Royal Statistical Society 98,
    1935.
    """
    total = k + known
    last = min(n, total)
    if k <= max(0, total - m):
        return 1.0
    term = math.exp(_log_choose(n, k) + _log_choose(m, known) - _log_choose(n + m, total))
    chance = term
    for each in range(k, last):
        term *= (n - each) * (total - each) / ((each + 1) * (m - total + each + 1))
        chance += term
        # Above the mode each term is a smaller part of the one before.
        if term <= 1e-12 * chance:
            break
    return min(chance, 1.0)


def rows_for_rise(known: int, m: int, rate: float, rise: float) -> int | None:
    """Return the least rows in which a share that rose by `rise` is more than chance does."""
    share = min(known / m + rise, 1.0) if m else 0.0

    def is_enough(n: int) -> bool:
        return chance_of_more(math.floor(share * n), n, known, m) <= rate

    return _least(is_enough) if m else None


def _least(is_enough: Callable[[int], bool]) -> int | None:
    high = 1
    while not is_enough(high):
        high *= 2
        if high > _MOST_ROWS:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _log_choose(n: float, k: float) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
