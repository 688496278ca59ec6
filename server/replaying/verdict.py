"""Say whether it is safe to switch, by rules that are written down and in words."""

import math
from dataclasses import dataclass
from fractions import Fraction

from server.replaying.findings import Findings

# The 97.5 % point of the normal distribution: intervals of 95 %.
_Z = 1.96
# How sure the truth must be that the new model is worse: 1 in 20 of equal models is blamed.
_P_WORSE = 0.05


@dataclass(frozen=True)
class Tolerance:
    """How much may change: all shares, but `moved` of a regression, in its standard deviations."""

    # Labels that change.
    changed: float = 0.01
    # What 99 of 100 rows stay below: the probability that moves most.
    moved: float = 0.1
    # Rows that become novel, more than were.
    novel: float = 0.01


@dataclass(frozen=True)
class Reason:
    """One rule: whether it holds, None where too little is known, and what was found."""

    holds: bool | None
    detail: str


@dataclass(frozen=True)
class Verdict:
    """`safe`, `not safe` or `cannot tell`, with a reason a rule."""

    word: str
    reasons: list[Reason]


def judge(found: Findings, tolerance: Tolerance) -> Verdict:
    """Apply every rule. One that is broken means not safe, one that cannot be told, cannot tell."""
    reasons = [
        _answered(found),
        *_changed(found, tolerance),
        *_moved(found, tolerance),
        *_novel(found, tolerance),
        *_true(found),
    ]
    if any(reason.holds is False for reason in reasons):
        return Verdict("not safe", reasons)
    if any(reason.holds is None for reason in reasons):
        return Verdict("cannot tell", reasons)
    return Verdict("safe", reasons)


def _answered(found: Findings) -> Reason:
    if found.unanswered:
        return Reason(False, f"{found.unanswered:,} stored rows have no answer from it")
    return Reason(True, f"it answers every one of {found.rows:,} stored rows")


def _changed(found: Findings, tolerance: Tolerance) -> list[Reason]:
    if found.changed is None or not found.rows:
        return []
    low, high = wilson(found.changed, found.rows)
    told = (
        f"{found.changed:,} labels change, {found.changed / found.rows:.3%} "
        f"(95 %: {low:.3%} to {high:.3%}); allowed are {tolerance.changed:.3%}"
    )
    if high <= tolerance.changed:
        return [Reason(True, told)]
    if found.changed / found.rows > tolerance.changed:
        return [Reason(False, told)]
    return [Reason(None, f"{told}: too few rows to be sure")]


def _moved(found: Findings, tolerance: Tolerance) -> list[Reason]:
    if found.moved is None:
        if found.changed is None:
            return []
        return [Reason(None, "log and model have no class in common whose probability compares")]
    p99, unit, scale = found.moved["p99"], "", 1.0
    if found.changed is None:
        scale, unit = found.spread or math.inf, " standard deviations of the stored values"
    what = "values" if found.changed is None else "probabilities"
    told = (
        f"99 of 100 {what} move by at most {p99 / scale:.3g}{unit}; "
        f"allowed are {tolerance.moved:.3g}"
    )
    return [Reason(p99 / scale <= tolerance.moved, told)]


def _novel(found: Findings, tolerance: Tolerance) -> list[Reason]:
    if found.novelty is None:
        return []
    rows = found.novelty["rows"]
    before, after = found.novelty["before"] / rows, found.novelty["after"] / rows
    told = (
        f"{after:.3%} of the rows are novel to it, {before:.3%} were; "
        f"allowed are {tolerance.novel:.3%} more"
    )
    return [Reason(after - before <= tolerance.novel, told)]


def _true(found: Findings) -> list[Reason]:
    """Ask the truth: whether what is lost outweighs what is won by more than chance."""
    if found.judged is None:
        return []
    lost, won = int(found.judged["lost"]), int(found.judged["won"])
    what = "answers" if found.changed is None else "labels"
    told = (
        f"of {found.judged['rows']:,} rows whose truth is known it is nearer in {won:,} and "
        f"farther in {lost:,}"
        if found.changed is None
        else f"of {found.judged['rows']:,} rows whose truth is known it puts {won:,} {what} right "
        f"and {lost:,} wrong"
    )
    p = sign_test(lost, won)
    return [Reason(p > _P_WORSE, f"{told} (sign test, p = {p:.3g} that an equal one does worse)")]


def wilson(count: int, rows: int) -> tuple[float, float]:
    """Return the interval of 95 % of a share (Wilson 1927)."""
    share, z2 = count / rows, _Z**2
    middle = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = _Z / (1 + z2 / rows) * math.sqrt(share * (1 - share) / rows + z2 / (4 * rows**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def sign_test(lost: int, won: int) -> float:
    """Return the chance that of `lost + won` fair coins at least `lost` show heads (McNemar)."""
    n = lost + won
    if n > 1_000:  # the normal distribution, with the correction for steps, is exact enough
        return 0.5 * math.erfc((lost - 0.5 - n / 2) / math.sqrt(n / 2))
    ways: int = sum(math.comb(n, k) for k in range(lost, n + 1))
    return float(Fraction(ways, 2**n))
