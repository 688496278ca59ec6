"""Pictures of where and when the table was measured, and how far away its objects are."""

import numpy as np
import pandas as pd
from IPython.display import Image
from matplotlib import rc_context
from matplotlib.figure import Figure

from research.report.experiments.errors import COSMOLOGY, doubts
from research.report.figures import (
    INK,
    MARKERS,
    PALETTE,
    STYLE,
    name_classes,
    panels,
    picture,
    scatter_classes,
)

# Half width of the linear part of the redshift axis, where the stars are.
LINEAR = 0.002


def sky(table: pd.DataFrame) -> Image:
    """Draw the objects on the whole sky, in a projection that keeps areas."""
    with rc_context(STYLE):
        figure = Figure(figsize=(9, 4.4), layout="constrained")
        axes = figure.add_subplot(projection="mollweide")
    for label in ("STAR", "GALAXY", "QSO"):
        rows = table[table["class"] == label]
        # East to the left, as one sees it looking up.
        longitude = -np.radians(rows["ra"] - 180)
        axes.scatter(
            longitude,
            np.radians(rows["dec"]),
            s=3,
            marker=MARKERS[label],
            color=PALETTE[label],
            alpha=0.6,
            linewidths=0,
            label=label,
        )
    hours = np.arange(-150, 180, 30)
    axes.set_xticks(np.radians(hours), [f"{180 - h}°" for h in hours], fontsize=7)
    axes.set(xlabel="right ascension (J2000)", ylabel="declination (J2000)")
    name_classes(axes, loc="upper right", bbox_to_anchor=(1.08, 1.08))
    return picture(figure, "All-sky map: narrow stripes along the equator and further north")


def plates(table: pd.DataFrame) -> Image:
    """Draw the make-up of the plates along their number, which is an order in time."""
    figure, (top, below) = panels(2, 1, size=(9, 4.6))
    edges = [250, 500, 750, 1000, 2000, 2500, 2750, 3000, 3510, 4500, 6000, 8500]
    bins = pd.cut(table["plate"], edges)
    shares = pd.crosstab(bins, table["class"], normalize="index")
    counts = bins.value_counts(sort=False)
    place = np.arange(len(shares))
    bottom = np.zeros(len(shares))
    for label in PALETTE:
        share = shares.get(label, pd.Series(0.0, index=shares.index)).to_numpy()
        top.bar(place, share, 0.85, bottom=bottom, color=PALETTE[label], label=label)
        bottom += share
    names = [f"{int(part.left)}-\n{int(part.right)}" for part in shares.index]
    top.set(ylabel="share of the rows", xticks=[])
    top.legend(loc="upper center", bbox_to_anchor=(0.5, 1.3), ncols=3)
    below.bar(place, counts[shares.index], 0.85, color=INK)
    below.set(ylabel="rows", xlabel="plate number")
    below.set_xticks(place, names, fontsize=8)
    return picture(figure, "Share of the classes along the plate numbers: from 1000 to 3510 stars")


def redshifts(table: pd.DataFrame, cuts: tuple[float, ...] = ()) -> Image:
    """Draw the redshifts by class on an axis that is linear for stars, logarithmic beyond."""
    figure, axes = panels(size=(9, 3.4))
    stretched = np.arcsinh(table["redshift"] / LINEAR)
    edges = np.linspace(stretched.min(), stretched.max(), 110)
    for label, colour in PALETTE.items():
        rows = table["class"] == label
        axes.hist(stretched[rows], edges, histtype="step", lw=1.6, color=colour, label=label)
    ticks = np.array([-0.004, -0.001, 0, 0.001, 0.004, 0.01, 0.03, 0.1, 0.3, 1, 3])
    axes.set_xticks(np.arcsinh(ticks / LINEAR), [f"{t:g}" for t in ticks])
    for cut in cuts:
        axes.axvline(np.arcsinh(cut / LINEAR), color=INK, lw=1, ls="--")
    axes.set(xlabel="redshift (asinh scale)", ylabel="objects (log scale)", yscale="log")
    axes.legend(loc="upper right")
    return picture(figure, "Histograms of redshift: stars at zero, then galaxies, then quasars")


def luminosities(table: pd.DataFrame) -> Image:
    """Draw luminosity against redshift, with the rows that physics doubts."""
    figure, axes = panels(size=(9, 4.4))
    far = table[(table["redshift"] > 0.003) & (table["class"] != "STAR")]
    far = far.assign(M=far["r"] - COSMOLOGY.distmod(far["redshift"].to_numpy()).value)
    scatter_classes(axes, far, "redshift", "M", size=4, order=["GALAXY", "QSO"])
    doubted = np.any(list(doubts(table).values()), axis=0)
    marked = far[doubted[far.index]]
    axes.scatter(
        marked["redshift"],
        marked["M"],
        s=70,
        facecolors="none",
        edgecolors=INK,
        lw=1.2,
        label=f"doubted here ({len(marked)})",
    )
    axes.axhline(-25, color=PALETTE["GALAXY"], lw=1, ls="--")
    axes.set(xscale="log", xlabel="redshift", ylabel="absolute magnitude M_r (mag)")
    axes.set_xticks([0.01, 0.03, 0.1, 0.3, 1, 3], ["0.01", "0.03", "0.1", "0.3", "1", "3"])
    axes.set_ylim(-13, -32.5)
    name_classes(axes, loc="upper left")
    return picture(figure, "Absolute magnitude against redshift; seven galaxies are too luminous")
