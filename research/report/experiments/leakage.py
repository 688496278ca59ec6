"""What the columns that are no measurement of the object give away, alone and added."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from research.report.experiments.setting import Setting, head
from research.report.measures import paired, predict_folds, score
from research.report.table import COLOURS, whole_numbers

PHOTOMETRY = ("r", *COLOURS)
SUSPECTS = {
    "redshift": ("redshift",),
    "plate": ("plate",),
    "mjd": ("mjd",),
    "plate_mjd": ("plate", "mjd"),
    "fiberid": ("fiberid",),
    "position": ("ra", "dec"),
    "scan": ("run", "camcol", "field"),
    "ids": ("objid_number", "specobjid_number"),
}
EVERYTHING = ("redshift", "plate", "mjd", "fiberid", "ra", "dec", "run", "camcol", "field")
# Stars end below this redshift, as the table has it in its second notebook.
STAR_LIMIT = 0.002


def columns(table: pd.DataFrame, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the named columns; ids as numbers, as a careless reader would take them."""
    ids = {
        f"{name}_number": np.array(whole_numbers(table[name]), dtype=np.float64)
        for name in ("objid", "specobjid")
    }
    return table.assign(**ids)[list(names)].to_numpy(dtype=np.float64)


def measure_leakage(setting: Setting) -> dict[str, Any]:
    """Return scores on random and plate folds of each suspect, alone and beside photometry."""
    sets: dict[str, tuple[str, ...]] = {"photometry": PHOTOMETRY}
    for name, suspects in SUSPECTS.items():
        sets[f"{name}_alone"] = suspects
        sets[f"{name}_added"] = (*PHOTOMETRY, *suspects)
    sets["everything"] = (*PHOTOMETRY, *EVERYTHING)
    # Any interactions, so that nothing that is given away stays hidden.
    model = head("without_redshift", interaction_cst=None)
    kinds = {"random": setting.folds[:10], "plates": setting.plate_folds[:10]}
    found: dict[str, Any] = {name: {} for name in sets}
    for name, names in sets.items():
        Z = columns(setting.table, names)
        for kind, folds in kinds.items():
            found[name][kind] = score(predict_folds(model, Z, setting.y, folds), setting.y, folds)
    for name in sets:
        found[name]["gain"] = {
            kind: paired(found[name][kind], found["photometry"][kind], "macro_f1") for kind in kinds
        }
    return found | {"rule": rule(setting.table)}


def rule(table: pd.DataFrame) -> dict[str, float]:
    """Return what two cuts on redshift do without any learning, chosen by eye on the histogram."""
    z = table["redshift"]
    said = np.select([z.abs() < STAR_LIMIT, z < 0.25], ["STAR", "GALAXY"], default="QSO")
    y = table["class"]
    return {
        "accuracy": float((said == y).mean()),
        "macro_f1": float(f1_score(y, said, average="macro")),
        "star_limit": STAR_LIMIT,
        "quasar_limit": 0.25,
    }
