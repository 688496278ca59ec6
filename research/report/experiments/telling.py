"""What each model tells about its predictions: coefficients, cuts, curves and importance."""

from typing import Any

import numpy as np
from sklearn.inspection import partial_dependence, permutation_importance
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # publishes none

from research.data import CLASSES
from research.features import OUTPUTS
from research.report.experiments.models import candidates
from research.report.experiments.setting import MODES, SEED, Setting

REPEATS = 5
POINTS = 60


def tell(setting: Setting) -> dict[str, Any]:
    """Return by mode what the linear model, the stump, the forest and the boosting tell."""
    models = candidates(setting)
    train, test = setting.folds[0]
    found: dict[str, Any] = {}
    for mode in MODES:
        Z, y = setting.Z(mode), setting.y
        names = OUTPUTS[: Z.shape[1]]
        with threadpool_limits(1):
            fitted = {
                name: models[name][mode].fit(Z[train], y[train])
                for name in ("stump", "tree", "logistic", "forest", "pairwise")
            }
            importance = {
                name: _importance(fitted[name], Z[test], y[test], names)
                for name in ("logistic", "forest", "pairwise")
            }
            curves = {
                name: _curve(fitted["pairwise"], Z, number, name)
                for number, name in enumerate(names)
            }
        coefficients = fitted["logistic"][-1]
        coefficients = coefficients if hasattr(coefficients, "coef_") else coefficients[-1]
        stump = fitted["stump"][-1].tree_
        found[mode] = {
            "stump_cuts": sorted(float(t) for t in stump.threshold[stump.feature >= 0]),
            "tree_leaves": int(fitted["tree"].get_n_leaves()),
            "coefficients": {
                label: dict(zip(names, map(float, row), strict=True))
                for label, row in zip(CLASSES, coefficients.coef_, strict=True)
            },
            "importance": importance,
            "curves": curves,
        }
    return found


def _importance(model: Any, Z: Any, y: Any, names: Any) -> dict[str, dict[str, float]]:
    """Return by how much log loss rises when one feature is shuffled, mean and sd."""
    shuffled = permutation_importance(
        model, Z, y, scoring="neg_log_loss", n_repeats=REPEATS, random_state=SEED
    )
    return {
        name: {"mean": float(mean), "sd": float(sd)}
        for name, mean, sd in zip(
            names, shuffled.importances_mean, shuffled.importances_std, strict=True
        )
    }


def _curve(model: Any, Z: Any, number: int, name: str) -> dict[str, list[float]]:
    """Return mean probability of each class were the feature everywhere at one value."""
    inside = Z[np.abs(Z[:, number]) < np.inf]
    low, high = np.quantile(inside[:, number], [0.005, 0.995])
    if name == "redshift":
        # Between stars and quasars lie four orders of magnitude: even steps in asinh.
        grid = 0.002 * np.sinh(np.linspace(-0.5, np.arcsinh(max(high, 0.01) / 0.002), POINTS))
    else:
        grid = np.linspace(low, high, POINTS)
    sample = Z[:: max(1, len(Z) // 500)].astype(np.float64)
    curve = partial_dependence(
        model,
        sample,
        [number],
        custom_values={number: grid},
        method="brute",
        response_method="predict_proba",
    )
    return {"at": [float(v) for v in grid]} | {
        label: [float(v) for v in row] for label, row in zip(CLASSES, curve["average"], strict=True)
    }
