"""Pictures of the models: scores, curves, confusion, learning and what they tell."""

from typing import Any

import numpy as np
from IPython.display import Image

from research.report.figures import (
    FIRST,
    INK,
    MODE_NAMES,
    PALETTE,
    SECOND,
    error_bars,
    panels,
    picture,
)

NAMES = {
    "majority": "majority",
    "stump": "tree of three leaves",
    "tree": "tree of 24 leaves",
    "logistic": "logistic",
    "spline": "logistic on splines",
    "extra_trees": "extra trees",
    "forest": "random forest",
    "additive": "boosting, additive",
    "pairwise": "boosting, pairwise",
    "full": "boosting, any interactions",
}
LINES = {"logistic": ":", "forest": "--", "pairwise": "-", "spline": "-."}


def scores(models: dict[str, Any]) -> Image:
    """Draw macro F1 and log loss of every model but the majority, in both modes."""
    figure, axes = panels(1, 2, size=(10.5, 3.9))
    names = [name for name in NAMES if name != "majority"]
    place = np.arange(len(names))[::-1]
    for ax, score, label in zip(
        axes, ("macro_f1", "log_loss"), ("macro F1", "log loss (nats, log scale)"), strict=True
    ):
        for mode, colour in zip(MODE_NAMES, (FIRST, SECOND), strict=True):
            found = [models[name][mode]["random"][score] for name in names]
            error_bars(
                ax,
                place,
                [f["mean"] for f in found],
                [f["sd"] for f in found],
                color=colour,
                label=MODE_NAMES[mode],
            )
        ax.set_yticks(place, [NAMES[name] for name in names])
        ax.set(xlabel=label)
    axes[0].set_xlim(0.62, 1.0)
    axes[1].set_xscale("log")
    axes[1].minorticks_off()
    axes[1].set_xticks([0.03, 0.1, 0.3, 0.6], ["0.03", "0.1", "0.3", "0.6"])
    axes[1].set_yticklabels([])
    axes[0].legend(loc="lower left")
    return picture(figure, "Macro F1 and log loss of nine models, with and without redshift")


def precision_recall(models: dict[str, Any], recalls: list[float]) -> Image:
    """Draw the precision of each class along its recall, without redshift."""
    figure, axes = panels(1, 3, size=(10.5, 3.4))
    for ax, label in zip(axes, PALETTE, strict=True):
        for name, line in LINES.items():
            curve = models[name]["without_redshift"]["curves"][label]
            ax.plot(recalls, curve, line, color=PALETTE[label], lw=1.6, label=NAMES[name])
        ax.set(title=label, xlabel="recall", xlim=(0.6, 1.0), ylim=(0.6, 1.01))
    axes[0].set_ylabel("precision")
    axes[1].legend(loc="lower left", fontsize=8)
    return picture(figure, "Precision along recall by class, for four models without redshift")


def confusion(models: dict[str, Any], name: str = "pairwise") -> Image:
    """Draw what objects of each class are called, in both modes."""
    figure, axes = panels(1, 2, size=(8.5, 3.4))
    labels = list(PALETTE)
    for ax, mode in zip(axes, MODE_NAMES, strict=True):
        counts = np.array(models[name][mode]["confusion"])
        shares = counts / counts.sum(axis=1, keepdims=True)
        ax.imshow(np.log10(shares.clip(1e-4)), cmap="Blues", vmin=-4, vmax=0.6)
        ax.grid(visible=False)
        for (line, column), share in np.ndenumerate(shares):
            text = f"{share:.2%}\n{counts[line, column]:,.0f}"
            ax.text(
                column,
                line,
                text,
                ha="center",
                va="center",
                color="white" if line == column else INK,
            )
        ax.set_xticks(range(3), labels)
        ax.set_yticks(range(3), labels)
        ax.set(xlabel="said", ylabel="is", title=MODE_NAMES[mode])
    return picture(figure, "Confusion tables of the published model with and without redshift")


def learning(curves: dict[str, Any]) -> Image:
    """Draw log loss and macro F1 along the number of training rows."""
    figure, axes = panels(1, 2, size=(10, 3.8))
    for ax, score, label in zip(
        axes, ("macro_f1", "log_loss"), ("macro F1", "log loss (nats)"), strict=True
    ):
        for mode, colour in zip(MODE_NAMES, (FIRST, SECOND), strict=True):
            for name, line in LINES.items():
                sizes = curves[mode][name]
                ax.plot(
                    [int(size) for size in sizes],
                    [cell[score]["mean"] for cell in sizes.values()],
                    line,
                    color=colour,
                    label=f"{NAMES[name]}, {MODE_NAMES[mode]}",
                )
        ax.set(xscale="log", xlabel="training rows", ylabel=label)
        ax.set_xticks([125, 500, 2000, 8000], ["125", "500", "2000", "8000"])
        ax.minorticks_off()
    axes[1].set_yscale("log")
    axes[1].set_yticks([0.03, 0.1, 0.3, 1], ["0.03", "0.1", "0.3", "1"])
    axes[0].legend(loc="lower right", fontsize=7)
    return picture(figure, "Learning curves of four models in both modes")


def responses(telling: dict[str, Any], mode: str) -> Image:
    """Draw the mean probability of each class along each feature."""
    curves = telling[mode]["curves"]
    figure, axes = panels(2, 3, size=(10, 5.2))
    for ax, (name, curve) in zip(axes.flat, curves.items(), strict=False):
        for label, colour in PALETTE.items():
            ax.plot(curve["at"], curve[label], color=colour, lw=1.8, label=label)
        ax.set(xlabel=name if name == "redshift" else f"{name} (mag)", ylim=(0, 1))
        if name == "redshift":
            ax.set_xscale("symlog", linthresh=0.002)
            ax.set_xlim(-0.001, None)
            ax.set_xticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
    for ax in axes[:, 0]:
        ax.set_ylabel("mean probability")
    for ax in axes.flat[len(curves) :]:
        ax.remove()
    axes[0, 0].legend(loc="upper left", fontsize=8)
    return picture(figure, "Mean probability of each class along each feature of the head")


def importances(telling: dict[str, Any]) -> Image:
    """Draw by how much log loss rises when a feature is shuffled, for three models."""
    figure, axes = panels(1, 2, size=(10, 3.4))
    for ax, mode in zip(axes, MODE_NAMES, strict=True):
        found = telling[mode]["importance"]
        features = list(found["pairwise"])
        place = np.arange(len(features))[::-1]
        for shift, (name, colour) in zip(
            (0.25, 0, -0.25),
            (("pairwise", FIRST), ("forest", SECOND), ("logistic", "#AAAAAA")),
            strict=True,
        ):
            values = [found[name][feature]["mean"] for feature in features]
            ax.plot(values, place + shift / 2, "o", color=colour, label=NAMES[name])
        ax.set_yticks(place, features)
        ax.set(xlabel="rise of log loss when shuffled (nats)", title=MODE_NAMES[mode], xscale="log")
    axes[1].legend(loc="lower left", fontsize=8)
    return picture(figure, "Permutation importance of the features for three models")
