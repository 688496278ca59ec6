"""Pictures of the table itself: classes, magnitudes, colours, edges and failures."""

from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Image

from research.report.experiments.facts import BANDS, SOFTENING, zero_flux
from research.report.figures import INK, PALETTE, name_classes, panels, picture, scatter_classes

# Middle of each band in Angstrom: Fukugita et al. 1996, as used by the survey.
WAVELENGTHS = {"u": 3551, "g": 4686, "r": 6165, "i": 7481, "z": 8931}


def balance(table: pd.DataFrame) -> Image:
    """Draw the size of each class, and how bright its objects are."""
    figure, (left, right) = panels(1, 2, size=(9, 3.2))
    counts = table["class"].value_counts()
    bars = left.barh(counts.index, counts, color=[PALETTE[label] for label in counts.index])
    left.bar_label(bars, labels=[f"{n:,} ({n / len(table):.1%})" for n in counts], padding=3)
    left.set(xlabel="objects", xlim=(0, counts.max() * 1.45), title="How many of each class")
    left.invert_yaxis()
    edges = np.arange(12, 20.6, 0.2)
    for label, colour in PALETTE.items():
        right.hist(
            table.loc[table["class"] == label, "r"],
            edges,
            histtype="step",
            lw=1.8,
            density=True,
            color=colour,
            label=label,
        )
    right.set(xlabel="r (mag)", ylabel="share a magnitude", title="How bright they are")
    right.legend(loc="upper left")
    return picture(figure, "Bars of the three classes and histograms of their r magnitude")


def distributions(table: pd.DataFrame) -> Image:
    """Draw the histogram of each band and each colour by class."""
    figure, axes = panels(3, 3, size=(9, 7))
    names = [*BANDS, "u-g", "g-r", "r-i", "i-z"]
    for ax, name in zip(axes.flat, names, strict=True):
        low, high = table[name].quantile([0.002, 0.998])
        for label, colour in PALETTE.items():
            ax.hist(
                table.loc[table["class"] == label, name],
                np.linspace(low, high, 45),
                histtype="step",
                density=True,
                lw=1.5,
                color=colour,
                label=label,
            )
        ax.set(xlabel=f"{name} (mag)", yticks=[])
    axes[0, 0].legend(loc="upper left")
    return picture(figure, "Histograms by class of the five bands and the four colours")


def ends(table: pd.DataFrame) -> Image:
    """Draw how the sample ends in u and in g."""
    figure, (left, right) = panels(1, 2, size=(9, 3.6))
    scatter_classes(left, table, "u", "g", size=3)
    left.axvline(19.6, color=INK, lw=1, ls="--")
    left.axhline(20.0, color=INK, lw=1, ls="--")
    left.set(xlabel="u (mag)", ylabel="g (mag)", xlim=(16, 20), ylim=(14, 20.5))
    name_classes(left, loc="upper left")
    right.hist(table["u"], np.arange(16, 20.05, 0.05), color=INK, histtype="step", label="u")
    right.hist(table["g"], np.arange(16, 20.05, 0.05), color="#33AACC", histtype="step", label="g")
    right.axvline(19.6, color=INK, lw=1, ls="--")
    right.set(xlabel="magnitude (mag)", ylabel="objects a twentieth of a magnitude")
    right.legend(loc="upper left")
    return picture(figure, "Objects in u and g: a wall at u = 19.6, and almost nothing at g = 20")


def colour_colour(table: pd.DataFrame) -> Image:
    """Draw the three colour-colour diagrams by class."""
    figure, axes = panels(1, 3, size=(11, 4))
    limits = {"u-g": (-0.7, 3.2), "g-r": (-0.6, 1.6), "r-i": (-0.5, 1.2), "i-z": (-0.5, 0.8)}
    for ax, (x, y) in zip(axes, [("u-g", "g-r"), ("g-r", "r-i"), ("r-i", "i-z")], strict=True):
        scatter_classes(ax, table, x, y, size=2.5)
        ax.set(xlabel=f"{x} (mag)", ylabel=f"{y} (mag)", xlim=limits[x], ylim=limits[y])
    axes[0].axvline(0.6, color=INK, lw=1, ls="--")
    axes[0].text(0.56, 1.5, "u-g = 0.6", rotation=90, ha="right", va="top", fontsize=8)
    name_classes(axes[2], loc="upper left")
    return picture(figure, "Three colour-colour diagrams: stars on a narrow locus, quasars blue")


def colour_magnitude(table: pd.DataFrame) -> Image:
    """Draw colour against brightness, a panel a class."""
    figure, axes = panels(1, 3, size=(11, 3.8))
    for ax, label in zip(axes, PALETTE, strict=True):
        others = table[table["class"] != label]
        ax.scatter(others["g-r"], others["r"], s=1.5, color="#DDDDDD", linewidths=0)
        scatter_classes(ax, table, "g-r", "r", size=3, order=[label])
        ax.set(xlim=(-0.6, 1.6), ylim=(20, 13), xlabel="g-r (mag)", title=label)
    axes[0].set_ylabel("r (mag)")
    return picture(figure, "Colour-magnitude diagrams of galaxies, quasars and stars, in turn")


def failures(objects: list[dict[str, Any]]) -> Image:
    """Draw the five bands of the failed rows, beside the magnitude of no flux at all."""
    figure, axes = panels(1, max(len(objects), 1), size=(11, 3.2))
    x = list(WAVELENGTHS.values())
    none = [zero_flux(band) for band in SOFTENING]
    for ax, each in zip(np.atleast_1d(axes), objects, strict=False):
        ax.plot(x, none, color="#33AACC", lw=1.2, ls="--", label="no flux")
        ax.plot(x, [each[band] for band in BANDS], "o-", color=PALETTE[each["class"]], lw=1)
        ax.set(ylim=(29, 13), xlabel="wavelength (Å)", title=f"row {each['row']}, {each['class']}")
        ax.title.set_fontsize(9)
        ax.set_xticks([4000, 6000, 8000])
    first = np.atleast_1d(axes)[0]
    first.set_ylabel("magnitude (mag)")
    first.legend(loc="lower left")
    return picture(
        figure, "Magnitudes of the failed rows by wavelength, some at the zero-flux line"
    )
