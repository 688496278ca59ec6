"""Pictures of what is left to gain."""

from typing import Any

import numpy as np
from IPython.display import Image

from research.report.figures import FIRST, MODE_NAMES, PALE, SECOND, error_bars, panels, picture

PAIRS = {
    "galaxy or star": ("GALAXY_as_STAR", "STAR_as_GALAXY"),
    "quasar or galaxy": ("QSO_as_GALAXY", "GALAXY_as_QSO"),
    "quasar or star": ("QSO_as_STAR", "STAR_as_QSO"),
}


def kinds_of_errors(errors: dict[str, Any]) -> Image:
    """Draw how many errors of each kind both modes make."""
    figure, axes = panels(size=(8.5, 2.6))
    place = np.arange(len(PAIRS))[::-1]
    for shift, mode, colour in zip((0.2, -0.2), MODE_NAMES, (FIRST, SECOND), strict=True):
        counts = [sum(errors[mode]["kinds"][kind] for kind in kinds) for kinds in PAIRS.values()]
        bars = axes.barh(place + shift, counts, 0.38, color=colour, label=MODE_NAMES[mode])
        axes.bar_label(bars, padding=3)
    axes.set_yticks(place, list(PAIRS))
    axes.set(xlabel="objects called wrongly, of all in the table")
    axes.legend(loc="lower right")
    return picture(figure, "Errors by the pair of classes that is confused, in both modes")


def gains(results: dict[str, Any]) -> Image:
    """Draw what was measured to change log loss without redshift, in nats."""
    mode = "without_redshift"
    variants, tuning = results["wrapped"], results["tuning"][mode]
    rows = results["learning"][mode]["pairwise"]
    bare = variants["pairwise"][mode]["log_loss"]["mean"]
    halves = rows["8000"]["log_loss"]["mean"] - rows["4000"]["log_loss"]["mean"]
    steps = {
        "twice the rows (4,000 to 8,000)": (halves, 0.0),
        "any interactions": _of(results["models"]["full"][mode]["less_pairwise"]),
        "three wide colours": _of(results["ablation"][mode]["wide_added"]["less_ours"]),
        "temperature": (variants["pairwise_temperature"][mode]["log_loss"]["mean"] - bare, 0.0),
        "tuning once more": _of(tuning["nested_less_published"]),
        "leaving out r": _of(results["ablation"][mode]["less_r"]["less_ours"]),
        "classes weighted alike": (
            variants["pairwise_balanced"][mode]["log_loss"]["mean"] - bare,
            0.0,
        ),
    }
    figure, axes = panels(size=(8.5, 3.4))
    place = np.arange(len(steps))[::-1]
    values, errors = zip(*steps.values(), strict=True)
    error_bars(axes, place, values, errors, color=FIRST)
    axes.axvline(0, color=PALE, lw=1.5)
    axes.set_yticks(place, list(steps))
    axes.set(xlabel="change of log loss without redshift (nats; less is better)")
    return picture(figure, "Measured changes of log loss without redshift, by what was changed")


def _of(differences: dict[str, Any]) -> tuple[float, float]:
    return differences["log_loss"]["mean"], differences["log_loss"]["error"]
