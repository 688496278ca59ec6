"""What every experiment is given: the table, the folds, and how much it may compute."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from research.evaluate import Fold, group_folds, stratified_folds
from research.pipeline import build_pipeline
from research.report.table import add_colours, read_features, read_whole

SEED = 0
# The heads: all six derived features, and all but the redshift.
MODES = ("with_redshift", "without_redshift")


@dataclass(frozen=True)
class Budget:
    """How much is computed. The defaults are what is published: about half an hour of one core."""

    repeats: int = 4
    repeats_grouped: int = 4
    trees: int = 300
    settings: int = 20
    inner_folds: int = 3
    sizes: tuple[int, ...] = (125, 250, 500, 1000, 2000, 4000, 8000)
    cpu_minutes: int = 30


@dataclass(frozen=True)
class Setting:
    """The table at `path` and the budget; what follows from them is computed once."""

    path: Path
    budget: Budget

    @cached_property
    def features(self) -> tuple[NDArray[np.float32], NDArray[np.str_], pd.Series]:
        """r, four colours and redshift; the classes; the plates."""
        return read_features(self.path)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every column of the table, and its colours."""
        return add_colours(read_whole(self.path))

    @property
    def y(self) -> NDArray[np.str_]:
        """The class of each row."""
        return self.features[1]

    def Z(self, mode: str) -> NDArray[np.float32]:  # noqa: N802  # the field's name
        """Return the derived features that the head of a mode is given."""
        return self.features[0] if mode == MODES[0] else self.features[0][:, :-1]

    @cached_property
    def folds(self) -> list[Fold]:
        """Repeated folds that each hold every class in its share."""
        Z, y, _ = self.features
        return stratified_folds(pd.DataFrame(Z), pd.Series(y), self.budget.repeats)

    @cached_property
    def plate_folds(self) -> list[Fold]:
        """Repeated folds that no plate has rows in two of."""
        Z, y, plates = self.features
        X = pd.DataFrame(Z)
        return group_folds(X, pd.Series(y), plates, self.budget.repeats_grouped)


def head(mode: str, **changes: Any) -> HistGradientBoostingClassifier:
    """Return the unfitted head that the published pipeline has for a mode."""
    heads = build_pipeline()["heads"]
    found = heads.spectroscopic if mode == MODES[0] else heads.photometric
    return found.set_params(**changes)
