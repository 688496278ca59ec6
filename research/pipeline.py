"""The survey pipeline, and what it is given in each of its modes."""

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from research.evaluate import Change
from research.features import Colours
from research.heads import TwoHeads

SEED = 0


def build_pipeline() -> Pipeline:
    """Return the unfitted survey pipeline.

    Many small trees score as well as few large ones here, and are faster and smaller once
    exported. At most two features on a path keep every answer explainable, at little cost.
    """
    shared = {"interaction_cst": "pairwise", "early_stopping": False, "random_state": SEED}
    spectroscopic = HistGradientBoostingClassifier(
        max_iter=100,
        max_leaf_nodes=6,
        min_samples_leaf=10,
        l2_regularization=5.0,
        learning_rate=0.1,
        max_features=0.35,
        **shared,
    )
    photometric = HistGradientBoostingClassifier(
        max_iter=160,
        max_leaf_nodes=8,
        min_samples_leaf=10,
        l2_regularization=2.0,
        learning_rate=0.1,
        max_features=0.5,
        **shared,
    )
    return Pipeline([("colours", Colours()), ("heads", TwoHeads(spectroscopic, photometric))])


def without_redshift(X: pd.DataFrame) -> pd.DataFrame:
    """Return X as it is for objects that have no spectrum."""
    return X.assign(redshift=np.float32(np.nan))


MODES: dict[str, Change] = {"with redshift": lambda X: X, "without redshift": without_redshift}
