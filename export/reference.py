"""How inputs, derived features and scores lie in the training rows, for whoever watches drift."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BINS = 10
# Of more categories than this, the rarest are counted together.
MAX_CATEGORIES = 20


def describe(
    X: pd.DataFrame,
    derived: dict[str, NDArray[np.float32]],
    scores: dict[str, NDArray[np.float64]],
) -> dict[str, Any]:
    """Return the contract's `reference`."""
    return {
        "rows": len(X),
        "inputs": {str(name): _distribution(X[name]) for name in X},
        "derived": {name: _distribution(pd.Series(values)) for name, values in derived.items()},
        "scores": {name: _distribution(pd.Series(values)) for name, values in scores.items()},
    }


def _distribution(values: pd.Series) -> dict[str, Any]:
    """Return bins by quantiles, or categories, each with its share of all rows."""
    missing = round(float(values.isna().mean()), 6)
    known = values.dropna()
    if not pd.api.types.is_numeric_dtype(values):
        shares = known.astype(str).value_counts(normalize=True).sort_index(kind="stable")
        common = shares.sort_values(ascending=False, kind="stable")[:MAX_CATEGORIES]
        return {
            "edges": None,
            "categories": list(common.index),
            "shares": _rounded(common.to_numpy() * (1 - missing)),
            "missing": missing,
        }
    numbers = known.to_numpy(dtype=np.float32)
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.unique(np.quantile(numbers, inner, method="nearest")) if len(numbers) else numbers
    # A value on an edge belongs to the bin below it.
    counts = np.bincount(np.searchsorted(edges, numbers, "left"), minlength=len(edges) + 1)
    return {
        "edges": list(edges),
        "categories": None,
        "shares": _rounded(counts / max(1, len(values))),
        "missing": missing,
    }


def _rounded(shares: Any) -> list[float]:
    return [round(float(share), 6) for share in shares]
