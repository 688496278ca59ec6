"""The pictures of the notebooks; what is the same in all of them is here."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from IPython.display import Image as Shown
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

# Paul Tol's high-contrast scheme: told apart by every kind of eye, and in print without colour.
PALETTE = {"GALAXY": "#BB5566", "QSO": "#004488", "STAR": "#DDAA33"}
MARKERS = {"GALAXY": "o", "QSO": "s", "STAR": "^"}
INK, PALE = "#222222", "#BBBBBB"
# Two kinds of folds, two modes, two contenders: a dark and a light one.
FIRST, SECOND = "#222222", "#33AACC"
MODE_NAMES = {"with_redshift": "with redshift", "without_redshift": "without redshift"}
DPI = 110
STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def panels(rows: int = 1, columns: int = 1, size: tuple[float, float] = (8.0, 4.0)) -> Any:
    """Return a figure and its axes in the style of the report."""
    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        return figure, figure.subplots(rows, columns)


def picture(figure: Figure, alt: str) -> Shown:
    """Return the figure as a light PNG with its description.

    256 colours are enough for a diagram, and a third of the bytes.
    """
    drawn, reduced = BytesIO(), BytesIO()
    with rc_context(STYLE):
        figure.savefig(drawn, dpi=DPI)
    Image.open(drawn).convert("RGB").quantize(256).save(reduced, format="PNG", optimize=True)
    return Shown(reduced.getvalue(), alt=alt)  # type: ignore[no-untyped-call]  # has no types


def scatter_classes(
    axes: Axes, table: Any, x: str, y: str, *, size: float = 3, order: Iterable[str] = PALETTE
) -> None:
    """Draw every object as a point of its class."""
    for label in order:
        rows = table["class"] == label
        axes.scatter(
            table.loc[rows, x],
            table.loc[rows, y],
            s=size,
            marker=MARKERS[label],
            color=PALETTE[label],
            alpha=0.45,
            linewidths=0,
            label=f"{label} ({int(rows.sum()):,})",
            rasterized=True,
        )


def name_classes(axes: Axes, **where: Any) -> None:
    """Add a legend whose marks can be seen."""
    legend = axes.legend(**where)
    for handle in legend.legend_handles:
        if handle is not None and hasattr(handle, "set_sizes"):
            handle.set_sizes([24])
            handle.set_alpha(1)


def error_bars(axes: Axes, y: Any, values: Any, errors: Any, **how: Any) -> None:
    """Draw values with their spread as points on horizontal bars."""
    axes.errorbar(values, y, xerr=errors, fmt=how.pop("fmt", "o"), capsize=2, ms=5, lw=1.2, **how)
