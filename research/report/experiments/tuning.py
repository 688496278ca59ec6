"""What tuning is worth, measured on rows that had no part in it; and what more rows are worth."""

from typing import Any

import numpy as np
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold, train_test_split
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # publishes none

from research.evaluate import FOLDS
from research.report.experiments.models import candidates
from research.report.experiments.setting import MODES, SEED, Setting, head
from research.report.measures import paired, score_rows, summed_up

SPACE = {
    "max_iter": randint(60, 260),
    "max_leaf_nodes": randint(4, 17),
    "min_samples_leaf": randint(5, 41),
    "learning_rate": loguniform(0.03, 0.3),
    "l2_regularization": loguniform(0.1, 20.0),
    "max_features": [0.25, 0.35, 0.5, 0.75, 1.0],
}
LEARNERS = ("logistic", "spline", "forest", "pairwise")


def tune(setting: Setting) -> dict[str, Any]:
    """Return by mode the scores of a search repeated inside every outer fold.

    The search sees the training rows of its fold only, so its scores are what a reader who
    repeats the whole procedure may expect. Beside them the published settings, on the same folds.
    """
    found: dict[str, Any] = {}
    for mode in MODES:
        Z, y, outer = setting.Z(mode), setting.y, setting.folds[:FOLDS]
        chosen, tuned, inner, published = [], [], [], []
        for number, (train, test) in enumerate(outer):
            search = RandomizedSearchCV(
                head(mode),
                SPACE,
                n_iter=setting.budget.settings,
                scoring="neg_log_loss",
                cv=StratifiedKFold(setting.budget.inner_folds, shuffle=True, random_state=number),
                random_state=number,
            )
            with threadpool_limits(1):
                search.fit(Z[train], y[train])
                fixed = head(mode).fit(Z[train], y[train])
            chosen.append({key: float(value) for key, value in search.best_params_.items()})
            inner.append(float(-search.best_score_))
            tuned.append(score_rows(search.predict_proba(Z[test]), y[test]))
            published.append(score_rows(fixed.predict_proba(Z[test]), y[test]))
        found[mode] = _side_by_side(tuned, published) | {
            "settings": chosen,
            "inner_log_loss": summed_up(inner),
        }
    return found


def _side_by_side(tuned: list[Any], published: list[Any]) -> dict[str, Any]:
    both = {
        name: {score: summed_up([one[score] for one in scores]) for score in scores[0]}
        for name, scores in (("nested", tuned), ("published", published))
    }
    differences = {
        score: paired(both["nested"], both["published"], score)
        for score in ("macro_f1", "log_loss")
    }
    return both | {"nested_less_published": differences}


def learn(setting: Setting) -> dict[str, Any]:
    """Return by mode, model and number of training rows the scores on the same test rows."""
    models = candidates(setting)
    found: dict[str, Any] = {}
    for mode in MODES:
        Z, y = setting.Z(mode), setting.y
        for name in LEARNERS:
            for size in setting.budget.sizes:
                scores = []
                for train, test in setting.folds[:FOLDS]:
                    rows = _part(train, y, size)
                    with threadpool_limits(1):
                        fitted = clone(models[name][mode]).fit(Z[rows], y[rows])
                    scores.append(score_rows(fitted.predict_proba(Z[test]), y[test]))
                cell = {key: summed_up([one[key] for one in scores]) for key in KEPT}
                found.setdefault(mode, {}).setdefault(name, {})[str(size)] = cell
    return found


KEPT = ("macro_f1", "log_loss", "f1_QSO")


def _part(train: Any, y: Any, size: int) -> Any:
    """Return that many of the training rows, every class in its share."""
    if size >= len(train):
        return train
    return train_test_split(
        np.asarray(train), train_size=size, stratify=y[train], random_state=SEED
    )[0]
