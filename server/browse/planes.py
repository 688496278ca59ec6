"""From counts to the cells of a picture of two fields, one against the other."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from server.browse.axes import Axis, Tick, number_text
from server.browse.drawing import Series
from server.browse.log_columns import title_of

# Shades of a cell, from few predictions in it to many.
_SHADES = 4
# Parts of a plane that can be looked into, across and up.
_PARTS = (6, 4)


@dataclass(frozen=True)
class Zone:
    """A part of a plane, in cells, that leads to what lies in it."""

    x: float
    y: float
    width: float
    height: float
    text: str
    address: str


@dataclass(frozen=True)
class Plane:
    """Two fields against each other: paths of cells by colour and shade."""

    fields: tuple[str, str]
    across: Axis
    up: Axis
    ticks_up: Sequence[Tick]
    paths: Sequence[tuple[str, int, str]]
    zones: Sequence[Zone]
    inside: int
    outside: int


def draw_plane(
    cells: Mapping[tuple[int, int, str | None], int],
    fields: tuple[str, str],
    axes: tuple[Axis, Axis],
    series: Sequence[Series],
    *,
    total: int,
    address_of: Callable[[tuple[float, float], tuple[float, float]], str],
) -> Plane:
    """Colour each cell by the label most of it has, the fuller the stronger."""
    across, up = axes
    by_cell: dict[tuple[int, int], dict[str | None, int]] = {}
    for (x, y, label), n in cells.items():
        by_cell.setdefault((x, y), {})[label] = n
    fullest = max((sum(each.values()) for each in by_cell.values()), default=1)
    css = {each.label: each.css for each in series}
    paths: dict[tuple[str, int], list[str]] = {}
    for (x, y), labels in sorted(by_cell.items()):
        most = max(labels, key=lambda label: labels[label])
        shade = _shade(sum(labels.values()), fullest)
        paths.setdefault((css[most], shade), []).append(f"M{x} {up.n - 1 - y}h1v1h-1z")
    inside = sum(cells.values())
    return Plane(
        fields,
        across,
        up,
        [Tick(round(100 - tick.at, 2), tick.text) for tick in up.ticks],
        [(colour, shade, "".join(each)) for (colour, shade), each in sorted(paths.items())],
        _zones(fields, across, up, address_of),
        inside,
        total - inside,
    )


def _shade(n: int, fullest: int) -> int:
    if fullest == 1:
        return _SHADES
    return 1 + min(int(_SHADES * math.log(n) / math.log(fullest)), _SHADES - 1)


def _zones(
    fields: tuple[str, str],
    across: Axis,
    up: Axis,
    address_of: Callable[[tuple[float, float], tuple[float, float]], str],
) -> list[Zone]:
    zones = []
    xs, ys = (
        [(n * axis.n // parts, (n + 1) * axis.n // parts) for n in range(parts)]
        for axis, parts in zip((across, up), _PARTS, strict=True)
    )
    for left, right in xs:
        for low, high in ys:
            if left == right or low == high:
                continue
            x = across.edge(left), across.edge(right)
            y = up.edge(low), up.edge(high)
            text = ", ".join(
                f"{title_of(field)} {number_text(each[0])} to {number_text(each[1])}"
                for field, each in zip(fields, (x, y), strict=True)
            )
            zones.append(Zone(left, up.n - high, right - left, high - low, text, address_of(x, y)))
    return zones
