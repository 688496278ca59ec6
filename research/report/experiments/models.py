"""Every model on the same folds, in both modes: scores, sizes, times and what they tell."""

import pickle
import time
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import confusion_matrix, precision_recall_curve
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # publishes none

from research.alternatives import build_alternatives
from research.data import CLASSES
from research.report.experiments.setting import MODES, SEED, Setting
from research.report.measures import Labels, Probabilities, paired, predict_folds, score

# Short keys for the names that research.alternatives prints.
KEYS = {
    "majority": "majority",
    "tree of three leaves on redshift": "stump",
    "logistic regression": "logistic",
    "logistic regression on splines": "spline",
    "random forest": "forest",
    "extra trees": "extra_trees",
    "boosting, additive": "additive",
    "boosting, any interactions": "full",
    "boosting, pairwise (ours)": "pairwise",
}
# u-g among the derived features without redshift.
BEST_COLOUR = 1
RECALLS = np.linspace(0.02, 1.0, 50)


def candidates(setting: Setting) -> dict[str, dict[str, Any]]:
    """Return the unfitted models by name and mode, each on one thread."""
    found = {
        KEYS[name]: dict(zip(MODES, pair, strict=True))
        for name, pair in build_alternatives().items()
    }
    tree = DecisionTreeClassifier(max_leaf_nodes=24, min_samples_leaf=5, random_state=SEED)
    found["tree"] = dict.fromkeys(MODES, tree)
    # The same three leaves, on the colour that separates best.
    three_leaves = clone(found["stump"][MODES[0]])
    three_leaves[0].set_params(transformers=[("u-g", "passthrough", [BEST_COLOUR])])
    found["stump"][MODES[1]] = three_leaves
    for by_mode in found.values():
        for model in by_mode.values():
            if "n_jobs" in model.get_params():
                model.set_params(n_jobs=1, n_estimators=setting.budget.trees)
    return found


def compare(setting: Setting) -> dict[str, Any]:
    """Return by model, mode and kind of folds the scores, and how each differs from ours."""
    found: dict[str, Any] = {}
    for name, by_mode in candidates(setting).items():
        for mode, model in by_mode.items():
            Z, cell = setting.Z(mode), found.setdefault(name, {}).setdefault(mode, {})
            for kind, folds in (("random", setting.folds), ("plates", setting.plate_folds)):
                repeats = predict_folds(model, Z, setting.y, folds)
                cell[kind] = score(repeats, setting.y, folds)
                if kind == "random":
                    cell["confusion"] = confusion(repeats, setting.y)
                    cell["curves"] = precision_curves(repeats[0], setting.y)
            cell["cost"] = cost(model, Z, setting.y)
    for by_mode in found.values():
        for mode, cell in by_mode.items():
            ours = found["pairwise"][mode]["random"]
            cell["less_pairwise"] = {
                name: paired(cell["random"], ours, name) for name in ("macro_f1", "log_loss")
            }
    return found


def confusion(repeats: list[Probabilities], y: Labels) -> list[list[float]]:
    """Return how many rows of each class (lines) were called what (columns), mean of repeats."""
    counts = [
        confusion_matrix(y, np.array(CLASSES)[p.argmax(axis=1)], labels=list(CLASSES))
        for p in repeats
    ]
    return np.mean(counts, axis=0).tolist()  # type: ignore[no-any-return]


def precision_curves(p: Probabilities, y: Labels) -> dict[str, list[float]]:
    """Return by class the precision at the recalls of RECALLS."""
    curves = {}
    for number, label in enumerate(CLASSES):
        precision, recall, _ = precision_recall_curve(y == label, p[:, number])
        # From the curve's end, so that recall rises; the best precision at that recall or more.
        best = np.maximum.accumulate(precision)
        place = np.searchsorted(-recall, -RECALLS, side="right") - 1
        curves[label] = [float(value) for value in best[place]]
    return curves


def cost(model: Any, Z: Any, y: Labels) -> dict[str, float]:
    """Return pickled size in kB and seconds to fit and to answer all rows, on one thread."""
    with threadpool_limits(1):
        begin = time.process_time()
        fitted = clone(model).fit(Z, y)
        middle = time.process_time()
        fitted.predict_proba(Z)
        end = time.process_time()
    size = len(pickle.dumps(fitted)) / 1000
    return {"kB": size, "fit_s": middle - begin, "us_a_row": (end - middle) / len(y) * 1e6}
