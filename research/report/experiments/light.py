"""What noise and dust do to the photometric head, and whether it can be taught to bear them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from research.data import CLASSES
from research.evaluate import FOLDS
from research.report.experiments.edges import NOISE, derived_from
from research.report.experiments.setting import MODES, SEED, Setting, head
from research.report.measures import score_rows

# Extinction in magnitudes for a reddening E(B-V) of 1: Stoughton et al. 2002, section 4.7.
DUST = {"u": 5.155, "g": 3.793, "r": 2.751, "i": 2.086, "z": 1.479}
REDDENING = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
# Copies of the training rows with this much noise, one sigma in magnitudes.
TAUGHT = (0.02, 0.05)


class Hardened(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Fit the photometric head on five bands, and on copies of them with noise."""

    def __init__(self, levels: tuple[float, ...] = ()) -> None:
        self.levels = levels

    def fit(self, bands: NDArray[Any], y: Any) -> "Hardened":
        """Fit on the rows and their noisy copies."""
        rng = np.random.default_rng(SEED)
        copies = [bands + level * rng.normal(size=bands.shape) for level in self.levels]
        Z = derived_from(np.vstack([bands, *copies]), np.empty(0), MODES[1])
        self.head_ = head(MODES[1]).fit(Z, np.tile(y, 1 + len(copies)))
        self.classes_ = self.head_.classes_
        return self

    def predict_proba(self, bands: NDArray[Any]) -> NDArray[np.float64]:
        """Return what the head says of the bands as they are."""
        return np.asarray(self.head_.predict_proba(derived_from(bands, np.empty(0), MODES[1])))


def shine(setting: Setting) -> dict[str, Any]:
    """Return the scores of three heads under noise, and under dust that the table has not.

    `bare` learnt from the rows, the others from copies with noise as well.
    """
    bands, y = setting.table[list("ugriz")].to_numpy(), setting.y
    noise = np.random.default_rng(SEED + 1).normal(size=bands.shape)
    extinction = np.array([DUST[band] for band in "ugriz"])
    asked = {f"noise_{level}": bands + level * noise for level in NOISE}
    asked |= {f"dust_{each}": bands + each * extinction for each in REDDENING}
    models = {"bare": Hardened(), **{f"taught_{level}": Hardened((level,)) for level in TAUGHT}}
    found: dict[str, Any] = {}
    for name, model in models.items():
        p = {key: np.zeros((len(y), len(CLASSES))) for key in asked}
        for train, test in setting.folds[:FOLDS]:
            model.fit(bands[train], y[train])
            for key, rows in asked.items():
                p[key][test] = model.predict_proba(rows[test])
        found[name] = {key: score_rows(each, y) for key, each in p.items()}
    return found | {"levels": {"noise": list(NOISE), "dust": list(REDDENING)}}
