"""Pictures of what the features do: differences of sets, and what redshift does to colours."""

from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Image

from research.report.figures import (
    FIRST,
    INK,
    MODE_NAMES,
    PALETTE,
    SECOND,
    error_bars,
    name_classes,
    panels,
    picture,
    scatter_classes,
)


def differences(ablation: dict[str, Any], mode: str, score: str, name: str) -> Image:
    """Draw how far every set of features is from the published one."""
    cells = {key: cell for key, cell in ablation[mode].items() if key != "ours"}
    figure, axes = panels(size=(8.5, 0.34 * len(cells) + 1.2))
    place = np.arange(len(cells))[::-1]
    found = [cell["less_ours"][score] for cell in cells.values()]
    error_bars(axes, place, [f["mean"] for f in found], [f["error"] for f in found], color=FIRST)
    axes.axvline(0, color=SECOND, lw=1.5)
    axes.set_yticks(place, [key.replace("_", " ") for key in cells])
    axes.set(xlabel=f"{name}, {MODE_NAMES[mode]}: this set less the published one")
    return picture(figure, f"Differences in {name} of {len(cells)} sets of features")


def galaxies_by_redshift(table: pd.DataFrame) -> Image:
    """Draw the colours of galaxies along their redshift."""
    figure, axes = panels(1, 3, size=(11, 3.4))
    galaxies = table[(table["class"] == "GALAXY") & table["redshift"].between(0.003, 0.21)]
    bins = pd.cut(galaxies["redshift"], np.arange(0.01, 0.22, 0.02).tolist())
    for ax, name in zip(axes, ("u-g", "g-r", "r-i"), strict=True):
        scatter_classes(ax, galaxies, "redshift", name, size=2, order=["GALAXY"])
        middle = galaxies.groupby(bins, observed=True)[[name, "redshift"]].median()
        ax.plot(middle["redshift"], middle[name], color=INK, lw=2, label="median")
        low, high = galaxies[name].quantile([0.01, 0.99])
        ax.set(xlabel="redshift", ylabel=f"{name} (mag)", ylim=(low - 0.1, high + 0.1))
    handles, names = axes[0].get_legend_handles_labels()
    axes[0].legend(handles[-1:], names[-1:], loc="lower right")
    return picture(figure, "Colours of galaxies against redshift, with their running median")


def locus(table: pd.DataFrame) -> Image:
    """Draw u-g against g-r near the quasars, with the cut of the literature."""
    figure, (left, right) = panels(1, 2, size=(10, 4))
    scatter_classes(left, table, "u-g", "g-r", size=4, order=["GALAXY", "STAR", "QSO"])
    left.axvline(0.6, color=INK, lw=1, ls="--")
    left.set(xlim=(-0.6, 1.6), ylim=(-0.6, 0.9), xlabel="u-g (mag)", ylabel="g-r (mag)")
    name_classes(left, loc="upper left")
    quasars = table[table["class"] == "QSO"]
    right.scatter(
        quasars["redshift"], quasars["u-g"], s=6, color=PALETTE["QSO"], alpha=0.6, linewidths=0
    )
    right.axhline(0.6, color=INK, lw=1, ls="--")
    right.axvline(2.2, color=INK, lw=1, ls=":")
    right.text(2.24, -0.55, "z = 2.2", fontsize=8)
    right.set(xlabel="redshift", ylabel="u-g (mag)", xlim=(0, 5.5), ylim=(-0.6, 2.6))
    right.set_title("quasars alone")
    return picture(figure, "u-g against g-r, and u-g of quasars against redshift: red beyond 2.2")
