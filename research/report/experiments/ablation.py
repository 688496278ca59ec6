"""Which features earn their place: every set on the same folds, compared fold by fold."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from research.alternatives import REDSHIFT_SCALE
from research.report.experiments.setting import MODES, Setting, head
from research.report.measures import paired, predict_folds, score
from research.report.table import COLOURS, WIDE

OURS = ("r", *COLOURS)
ALL_PAIRS = tuple(f"{a}-{b}" for k, a in enumerate("ugriz") for b in "ugriz"[k + 1 :])
# By mode: the sets of columns. "ours" is what the published pipeline uses.
SETS: dict[str, dict[str, tuple[str, ...]]] = {
    MODES[1]: {
        "ours": OURS,
        "magnitudes": tuple("ugriz"),
        "colours_only": COLOURS,
        "wide_added": (*OURS, *WIDE),
        "all_pairs": ("r", *ALL_PAIRS),
        "magnitudes_and_colours": (*"ugriz", *COLOURS),
        "g_for_r": ("g", *COLOURS),
        "wide_for_adjacent": ("r", "u-g", *WIDE),
        **{f"less_{name}": tuple(n for n in OURS if n != name) for name in OURS},
    },
    MODES[0]: {
        "ours": (*OURS, "redshift"),
        "asinh": (*OURS, "asinh_redshift"),
        "absolute": (*OURS, "absolute_redshift"),
        "magnitudes": (*"ugriz", "redshift"),
        "wide_added": (*OURS, *WIDE, "redshift"),
        "redshift_only": ("redshift",),
        "redshift_and_r": ("redshift", "r"),
        "redshift_and_u-g": ("redshift", "u-g"),
        "colours_and_redshift": (*COLOURS, "redshift"),
    },
}
LINEAR_SETS = {
    MODES[1]: ("ours", "magnitudes", "wide_added"),
    MODES[0]: ("ours", "asinh", "magnitudes"),
}


def widen(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table in float32 with every column that a set may name."""
    z = table["redshift"]
    pairs = {name: table[name[0]] - table[name[2]] for name in ALL_PAIRS}
    stretched = {"asinh_redshift": np.arcsinh(z / REDSHIFT_SCALE), "absolute_redshift": z.abs()}
    return table[[*"ugriz", "redshift"]].assign(**pairs, **stretched).astype(np.float32)


def ablate(setting: Setting) -> dict[str, Any]:
    """Return by mode and set the scores, and how each differs from the published set."""
    wide, y, folds = widen(setting.table), setting.y, setting.folds
    found: dict[str, Any] = {}
    for mode, sets in SETS.items():
        cells = {}
        for name, names in sets.items():
            Z = wide[list(names)].to_numpy()
            cells[name] = score(predict_folds(head(mode), Z, y, folds), y, folds)
        found[mode] = {
            name: cell
            | {"less_ours": {s: paired(cell, cells["ours"], s) for s in ("macro_f1", "log_loss")}}
            for name, cell in cells.items()
        }
    return found


def ablate_free(setting: Setting) -> dict[str, Any]:
    """Return what magnitudes and colours score where a tree may ask for any number of features."""
    wide, y, folds = widen(setting.table), setting.y, setting.folds
    model = head(MODES[1], interaction_cst=None)
    cells = {
        name: score(
            predict_folds(model, wide[list(SETS[MODES[1]][name])].to_numpy(), y, folds), y, folds
        )
        for name in ("ours", "magnitudes", "wide_added")
    }
    for cell in cells.values():
        cell["less_ours"] = {s: paired(cell, cells["ours"], s) for s in ("macro_f1", "log_loss")}
    return cells


def ablate_linear(setting: Setting) -> dict[str, Any]:
    """Return by mode the scores of a linear model on some of the sets, and on other scales."""
    wide, y, folds = widen(setting.table), setting.y, setting.folds
    found: dict[str, Any] = {}
    for mode, names in LINEAR_SETS.items():
        runs = [(name, name, StandardScaler()) for name in names]
        runs.append(("min_max", names[0], MinMaxScaler()))
        found[mode] = {}
        for key, name, scaler in runs:
            Z = wide[list(SETS[mode][name])].to_numpy()
            model = make_pipeline(scaler, LogisticRegression(C=10.0, max_iter=2_000))
            found[mode][key] = score(predict_folds(model, Z, y, folds), y, folds)
    return found
