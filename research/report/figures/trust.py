"""Pictures of how far an answer can be trusted."""

from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Image

from research.report.figures import (
    INK,
    MODE_NAMES,
    PALETTE,
    SECOND,
    panels,
    picture,
    scatter_classes,
)

# Bins with fewer objects say nothing.
FEWEST = 8


def reliability(bins: dict[str, Any]) -> Image:
    """Draw what share was so against the probability that was said, by class and mode."""
    figure, axes = panels(1, 3, size=(10.5, 3.6))
    for ax, label in zip(axes, PALETTE, strict=True):
        ax.plot([0, 1], [0, 1], color=INK, lw=0.8, ls="--")
        for mode, mark in zip(MODE_NAMES, ("o", "^"), strict=True):
            found = [each for each in bins[mode][label] if each["rows"] >= FEWEST]
            said, was, rows = (np.array([b[key] for b in found]) for key in ("said", "was", "rows"))
            # Two binomial standard errors.
            error = 2 * np.sqrt((was * (1 - was)).clip(1e-9) / rows)
            ax.errorbar(
                said,
                was,
                error,
                fmt=mark,
                ms=5,
                lw=1,
                color=PALETTE[label],
                mfc=PALETTE[label] if mark == "o" else "white",
                label=MODE_NAMES[mode],
            )
        ax.set(title=label, xlabel="probability that was said", xlim=(0, 1), ylim=(-0.05, 1.05))
        ax.legend(loc="upper left", fontsize=8)
    axes[0].set_ylabel("share that was so")
    return picture(figure, "Reliability of the probabilities of each class, along the diagonal")


def places(table: pd.DataFrame, errors: dict[str, Any], mode: str) -> Image:
    """Draw the errors of a mode in the two colour planes, over all objects."""
    figure, axes = panels(1, 2, size=(10, 4.2))
    rows = pd.DataFrame(errors[mode]["rows"])
    wrong = table.iloc[rows["row"][rows["row"] < len(table)]]
    for ax, (x, y) in zip(axes, [("u-g", "g-r"), ("g-r", "r-i")], strict=True):
        ax.scatter(table[x], table[y], s=1.5, color="#DDDDDD", linewidths=0)
        scatter_classes(ax, wrong, x, y, size=16)
        ax.set(xlabel=f"{x} (mag)", ylabel=f"{y} (mag)")
    axes[0].set(xlim=(-0.8, 3.2), ylim=(-0.7, 1.7))
    axes[1].set(xlim=(-0.7, 1.7), ylim=(-0.6, 1.2))
    axes[0].legend(loc="upper left", fontsize=8, title="is, but was called otherwise")
    return picture(figure, f"Where the errors {MODE_NAMES[mode]} lie in the colour planes")


def found_by_redshift(errors: dict[str, Any]) -> Image:
    """Draw the share of galaxies and quasars that is found, along redshift."""
    figure, axes = panels(1, 2, size=(10, 3.4))
    for ax, label in zip(axes, ("GALAXY", "QSO"), strict=True):
        for mode, line in zip(MODE_NAMES, ("-", "--"), strict=True):
            bins = errors[mode]["recall_by_redshift"][label]
            shares = [each["share"] for each in bins.values()]
            counts = [each["rows"] for each in bins.values()]
            ax.plot(shares, line, marker="o", ms=4, color=PALETTE[label], label=MODE_NAMES[mode])
        names = [
            f"{name.strip('(]').replace(', ', '-')}\n{count}"
            for name, count in zip(bins, counts, strict=True)
        ]
        ax.set_xticks(range(len(names)), names, fontsize=7, rotation=40)
        ax.set(title=label, xlabel="redshift, and how many", ylim=(-0.02, 1.04))
        ax.legend(loc="lower center", fontsize=8)
    axes[0].set_ylabel("recall")
    return picture(figure, "Recall of galaxies and of quasars in bins of redshift")


def transfer(results: dict[str, Any]) -> Image:
    """Draw the error on fainter rows of heads that saw brighter ones only, beside a control."""
    figure, axes = panels(1, 2, size=(10, 3.6))
    shades = dict(zip(("18.0", "18.5", "19.0"), ("#88CCEE", "#33AACC", "#005577"), strict=True))
    for ax, mode in zip(axes, MODE_NAMES, strict=True):
        for limit, colour in shades.items():
            cell = results[mode].get(limit)
            for name, line in (("bright", "-"), ("control", ":")):
                steps = cell[name]["steps"]
                ax.plot(
                    [min(step["from"] + 0.1, 19.55) for step in steps],
                    [step["error"] for step in steps],
                    line,
                    marker="o",
                    ms=3.5,
                    color=colour,
                    label=f"u < {limit}" if name == "bright" else None,
                )
        ax.set(title=MODE_NAMES[mode], xlabel="u of the asked (mag)", ylim=(0, None))
    axes[0].set_ylabel("share called wrongly")
    axes[0].plot([], [], ":", color=INK, label="as many rows of all u")
    axes[0].legend(loc="upper left", fontsize=8, title="trained on")
    return picture(figure, "Error on faint rows of heads trained on bright ones, and of controls")


def light(results: dict[str, Any]) -> Image:
    """Draw the photometric score along added noise, and along added dust, for three heads."""
    figure, axes = panels(1, 2, size=(9.5, 3.6))
    heads = {"bare": "as published", "taught_0.02": "taught 0.02 mag", "taught_0.05": "taught 0.05"}
    labels = {
        "noise": "noise added to every band (mag, one sigma)",
        "dust": "dust added, E(B-V) (mag)",
    }
    for ax, (kind, label) in zip(axes, labels.items(), strict=True):
        levels = results["levels"][kind]
        for (name, said), line in zip(heads.items(), ("-", "--", ":"), strict=True):
            values = [results[name][f"{kind}_{level}"]["macro_f1"] for level in levels]
            ax.plot(levels, values, line, marker="o", ms=4, color=SECOND, label=said)
        ax.set(xlabel=label, ylim=(0.5, 1))
    axes[0].set_ylabel("macro F1 without redshift")
    axes[0].legend(loc="lower left", title="photometric head")
    return picture(figure, "Macro F1 without redshift under noise and under dust")
