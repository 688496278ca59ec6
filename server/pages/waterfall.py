"""Lay out how the derived features move the raw score from its base value to where it ends."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# More steps than this are not read one by one, and so are more that move nothing: the smallest
# are drawn as one.
_MAX_STEPS = 14
_MAX_STILL = 2
# Shares of the width that stay free on either side of the outermost sums.
_MARGIN = 2.0
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Step:
    """One bar: from the sum before it to the sum after it, in percent of the width."""

    name: str
    value: float | None
    is_of_many: bool
    adds: str
    way: str
    start: float
    width: float
    end: float


@dataclass(frozen=True)
class Waterfall:
    """The steps from the base value to the raw score, the largest first."""

    base: str
    score: str
    base_x: float
    steps: list[Step]


@dataclass(frozen=True)
class Contributions:
    """What one head's derived features add, by feature and column, as the log has it.

    `added` and `base` are numbers instead of mappings where there is but one column.
    """

    head: str
    added: Mapping[str, Any]
    base: Any

    def toward(self, label: str | None, class_names: Sequence[str]) -> tuple[dict[str, float], Any]:
        """Return what each feature adds to the score of `label`, and the score's base value.

        With two classes and one column the score is that of the second class, and counts the
        other way round for the first; a regression has no label.
        """
        if isinstance(self.base, Mapping):
            return {name: each[label] for name, each in self.added.items()}, self.base[label]
        sign = -1 if label is not None and label == class_names[0] else 1
        return {name: sign * each for name, each in self.added.items()}, sign * self.base

    @property
    def columns(self) -> list[str]:
        """The classes that have a column of their own."""
        return list(self.base) if isinstance(self.base, Mapping) else []

    @property
    def score(self) -> Any:
        """The raw score, of the shape of `base`."""
        if not isinstance(self.base, Mapping):
            return self.base + sum(self.added.values())
        return {
            name: base + sum(each[name] for each in self.added.values())
            for name, base in self.base.items()
        }


def draw_waterfall(
    added: Mapping[str, float], base: float, values: Mapping[str, float | None]
) -> Waterfall:
    """Return the bars of one waterfall.

    Parameters
    ----------
    added : mapping of str to float
        What each derived feature adds.
    base : float
        The raw score before anything is added.
    values : mapping of str to float or None
        The derived features; None is a missing one.
    """
    parts = _largest_first(added)
    sums = [base]
    for _, part in parts:
        sums.append(sums[-1] + part)
    low, high = min(sums), max(sums)
    decimals = decimals_for(max(map(abs, [*sums, *added.values()])))

    def place(number: float) -> float:
        share = (number - low) / (high - low) if high > low else 0.5
        return round(_MARGIN + (100 - 2 * _MARGIN) * share, 3)

    steps = [
        Step(
            name,
            values.get(name),
            name not in added,
            signed(part, decimals),
            "up" if part > 0 else "down" if part < 0 else "none",
            min(place(before), place(before + part)),
            round(abs(place(before + part) - place(before)), 3),
            place(before + part),
        )
        for (name, part), before in zip(parts, sums[:-1], strict=True)
    ]
    return Waterfall(
        signed(base, decimals).lstrip("+"),
        signed(sums[-1], decimals).lstrip("+"),
        place(base),
        steps,
    )


def signed(number: float, decimals: int) -> str:
    """Return `number` with its sign, and none for what is 0 to that many decimals."""
    text = f"{number:+.{decimals}f}"
    return text[1:] if float(text) == 0 else text.replace("-", MINUS)


def _largest_first(added: Mapping[str, float]) -> list[tuple[str, float]]:
    parts = sorted(added.items(), key=lambda part: -abs(part[1]))
    moving = sum(part != 0 for _, part in parts)
    shown = len(parts) if len(parts) - moving <= _MAX_STILL else moving
    if shown > _MAX_STEPS:
        shown = _MAX_STEPS - 1
    rest = parts[shown:]
    others = [(f"{len(rest)} others", sum(part for _, part in rest))] if rest else []
    return [*parts[:shown], *others]


def decimals_for(largest: float) -> int:
    """Return how many decimals give the largest number four digits."""
    return 3 if largest == 0 else min(max(3 - math.floor(math.log10(largest)), 0), 12)
