"""Pictures of what gives the class away."""

from typing import Any

import numpy as np
from IPython.display import Image

from research.report.figures import FIRST, SECOND, error_bars, panels, picture

NAMES = {
    "redshift": "redshift",
    "ids": "objid and specobjid",
    "plate_mjd": "plate and mjd",
    "plate": "plate",
    "mjd": "mjd",
    "position": "ra and dec",
    "scan": "run, camcol, field",
    "fiberid": "fiberid",
}


def alone(leakage: dict[str, Any]) -> Image:
    """Draw what each suspect scores without any photometry, on both kinds of folds."""
    figure, axes = panels(size=(8.5, 3.8))
    place = np.arange(len(NAMES))[::-1]
    for shift, kind, colour, name in (
        (0.14, "random", FIRST, "random folds"),
        (-0.14, "plates", SECOND, "folds of whole plates"),
    ):
        scores = [leakage[f"{suspect}_alone"][kind]["macro_f1"] for suspect in NAMES]
        error_bars(
            axes,
            place + shift,
            [each["mean"] for each in scores],
            [each["sd"] for each in scores],
            color=colour,
            label=name,
        )
    reference = leakage["photometry"]["random"]["macro_f1"]["mean"]
    axes.axvline(reference, color=FIRST, lw=1, ls="--")
    axes.text(reference - 0.005, place[-1] - 0.4, "five bands of light", ha="right", fontsize=8)
    axes.set_yticks(place, list(NAMES.values()))
    axes.set(xlabel="macro F1 without any photometry", xlim=(0.2, 1.0))
    axes.legend(loc="center right", bbox_to_anchor=(0.93, 0.45))
    return picture(figure, "Macro F1 of redshift, ids, plate, date, place and fibre, each alone")


def added(leakage: dict[str, Any]) -> Image:
    """Draw what each suspect adds to photometry, with corrected standard errors."""
    figure, axes = panels(size=(8.5, 3.6))
    others = [name for name in NAMES if name != "redshift"]
    place = np.arange(len(others))[::-1]
    for shift, kind, colour, name in (
        (0.14, "random", FIRST, "random folds"),
        (-0.14, "plates", SECOND, "folds of whole plates"),
    ):
        gains = [leakage[f"{suspect}_added"]["gain"][kind] for suspect in others]
        error_bars(
            axes,
            place + shift,
            [each["mean"] for each in gains],
            [each["error"] for each in gains],
            color=colour,
            label=name,
        )
    axes.axvline(0, color=FIRST, lw=1)
    axes.set_yticks(place, [NAMES[name] for name in others])
    axes.set(xlabel="macro F1 gained beside photometry, with its corrected standard error")
    axes.legend(loc="lower right")
    return picture(figure, "Gain in macro F1 from each suspect beside photometry")
