"""Draw lines over time as an SVG: one panel above the other, each with a scale of its own."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 760, 90, 70, 30, 40
# Told apart by colour-blind eyes, on a light ground.
_COLOURS = ("#0072b2", "#d55e00")
# More points than this many are thinned to the largest of each step: peaks stay.
_MOST_POINTS = 700


class Panel(NamedTuple):
    """A title with its unit, and lines by name: pairs of minutes and values."""

    title: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


def draw(path: Path, panels: Sequence[Panel]) -> None:
    """Write the panels to `path`."""
    height = _TOP + len(panels) * (_HEIGHT + _GAP)
    width = _LEFT + _WIDTH + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, _TOP + number * (_HEIGHT + _GAP))
    path.write_text("\n".join([*parts, "</svg>", ""]))


def _panel(panel: Panel, top: int) -> Iterator[str]:
    points = [point for line in panel.lines.values() for point in line]
    last = max((minute for minute, _ in points), default=0) or 1.0
    most = max((value for _, value in points), default=0) or 1.0
    bottom = top + _HEIGHT
    yield f'<text x="{_LEFT}" y="{top - 8}" font-weight="bold">{panel.title}</text>'
    for value, y in ((most, top), (0, bottom)):
        yield f'<path d="M{_LEFT} {y}h{_WIDTH}" stroke="#ccc"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{_said(value)}</text>'
    yield f'<text x="{_LEFT + _WIDTH}" y="{bottom + 14}" text-anchor="end">{last:.3g} min</text>'
    for number, (name, line) in enumerate(panel.lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        yield (
            f'<text x="{_LEFT + _WIDTH - 130 * number}" y="{top - 8}" text-anchor="end" '
            f'fill="{colour}">{name}</text>'
        )
        drawn = " ".join(
            f"{_LEFT + _WIDTH * minute / last:.1f},{bottom - _HEIGHT * value / most:.1f}"
            for minute, value in _thinned(line)
        )
        yield f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="1.2"/>'


def _said(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _thinned(line: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    step = -(-len(line) // _MOST_POINTS) or 1
    return [
        max(line[at : at + step], key=lambda point: point[1]) for at in range(0, len(line), step)
    ]
