"""Refuse what cannot be exported before anything is computed."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from export.errors import ExportError, InvalidContract, NotExportable

# Fewer have no spread, neither of the scores nor of the target.
MIN_ROWS = 2


def check_fitted(pipeline: Any) -> None:
    """Raise NotExportable for what is no fitted pipeline."""
    try:
        check_is_fitted(pipeline)
    except NotFittedError:
        raise NotExportable("the pipeline is not fitted: call fit first") from None
    except TypeError:
        raise NotExportable(f"a {type(pipeline).__name__} is no fitted pipeline") from None


def check_folder(path: Path) -> None:
    """Raise ExportError if the folder of `path` is missing."""
    if not path.parent.is_dir():
        raise ExportError(f"there is no folder {path.parent} to write {path.name} to: make it")


def one_target(y: Any, rows: int) -> pd.Series:
    """Return y as a Series of `rows` values, or raise if it is something else."""
    values = np.asarray(y)
    if values.ndim != 1:
        raise NotExportable(f"y_holdout has {values.ndim} axes: export one target, in one column")
    if len(values) != rows or rows < MIN_ROWS:
        raise InvalidContract(
            f"X_holdout has {rows} rows and y_holdout {len(values)}: "
            f"give as many of both, and {MIN_ROWS} at least"
        )
    return pd.Series(values)


def check_columns(pipeline: Any, types: dict[str, str]) -> None:
    """Raise InvalidContract unless the columns are those that the pipeline was fitted on."""
    fitted = list(getattr(pipeline, "feature_names_in_", types))
    if fitted != list(types):
        raise InvalidContract(
            f"the pipeline was fitted on the columns {', '.join(map(str, fitted))}, and X_holdout "
            f"has {', '.join(types)}: give the same columns in the same order"
        )
