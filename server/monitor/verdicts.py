"""Say of one figure whether it is an alarm: large enough to matter, and no work of chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from server.monitor.chance import (
    Counts,
    chance_of_more,
    index_by_chance,
    rows_for_index,
    rows_for_rise,
    stability_index,
)
from server.pages.place_words import share_of

State = Literal["ok", "alarm", "too few rows"]


@dataclass(frozen=True)
class Thresholds:
    """What an alarm needs.

    `rate` is how often chance alone may raise one check; `index` and `share` are the least changes
    that matter, whatever chance does: a stability index, and a rise of a share.
    """

    rate: float
    index: float
    share: float
    p99_ms: float


@dataclass(frozen=True)
class Verdict:
    """What is said of one figure: its value, the one it is compared with, and what an alarm takes.

    `rows_needed` is the least sample in which the smallest change that matters is told from
    chance; None where no sample is large enough, as the contract knows too few rows.
    """

    key: str
    title: str
    state: State
    words: str
    value: float | None
    known: float | None
    threshold: float | None
    rows: int
    rows_needed: int | None


def judge_index(key: str, title: str, counts: Counts, thresholds: Thresholds) -> Verdict:
    """Judge by the stability index: an alarm from the setting on, where it is no chance."""
    index = sum(stability_index(counts)) if counts.n and counts.m else None
    threshold = max(thresholds.index, index_by_chance(counts, thresholds.rate))
    needed = rows_for_index(counts, thresholds.rate, thresholds.index)
    rows = int(counts.n)
    if index is None:
        state: State = "too few rows"
    else:
        state = "alarm" if index >= threshold else _ok_if_enough(rows, needed)
    words = _index_words(state, index, threshold, rows, needed)
    told = threshold if math.isfinite(threshold) else None
    return Verdict(key, title, state, words, index, None, told, rows, needed)


def judge_rise(
    key: str,
    title: str,
    live: tuple[int, int],
    known: tuple[int, int],
    thresholds: Thresholds,
    *,
    of: str,
) -> Verdict:
    """Judge whether `live`, so many of so many rows, is a larger share than `known`."""
    (k, n), (known_k, m) = live, known
    expected = known_k / m if m else None
    needed = rows_for_rise(known_k, m, thresholds.rate, thresholds.share)
    share = k / n if n else None
    if share is None or expected is None:
        state: State = "too few rows"
    else:
        is_large = share - expected >= thresholds.share
        is_alarm = is_large and chance_of_more(k, n, known_k, m) <= thresholds.rate
        state = "alarm" if is_alarm else _ok_if_enough(n, needed)
    threshold = None if expected is None else min(expected + thresholds.share, 1.0)
    words = _share_words(state, share, expected, of, n, needed)
    return Verdict(key, title, state, words, share, expected, threshold, n, needed)


def _ok_if_enough(rows: int, needed: int | None) -> State:
    return "ok" if needed is not None and rows >= needed else "too few rows"


def _index_words(
    state: State, index: float | None, threshold: float, rows: int, needed: int | None
) -> str:
    if index is None:
        return wait(rows, needed)
    told = f"PSI {index:.3f}" if index >= 0.0005 else "PSI below 0.001"
    if state == "too few rows":
        return f"{told} so far; {wait(rows, needed)}"
    return f"{told}, an alarm from {threshold:.3g} on"


def _share_words(
    state: State,
    share: float | None,
    expected: float | None,
    of: str,
    rows: int,
    needed: int | None,
) -> str:
    if share is None or expected is None:
        return wait(rows, needed)
    told = f"{share_of(share)}, and {share_of(expected)} of {of}"
    return f"{told}; {wait(rows, needed)}" if state == "too few rows" else told


def wait(rows: int, needed: int | None) -> str:
    """Say how many rows there are of those that it takes."""
    if needed is None:
        return "the contract knows too few rows to tell such a change from chance"
    return f"too few rows yet: {rows:,} of {needed:,}"


def count_states(verdicts: Sequence[Verdict]) -> dict[State, int]:
    """Return how many verdicts are of each state."""
    states: tuple[State, ...] = ("alarm", "too few rows", "ok")
    return {state: sum(each.state == state for each in verdicts) for state in states}
