"""A handful of rows with the pipeline's answers, for whoever loads the file to replay."""

from typing import Any

import numpy as np
import pandas as pd

from export.answers import missing, pipeline_answers

# Enough to see every class of most models answered; more would only lengthen the file.
MAX_ROWS = 6


def golden_rows(
    pipeline: Any, X: pd.DataFrame, y: pd.Series, nullable: list[str], tolerance: float
) -> dict[str, dict[str, Any]]:
    """Return rows of the holdout that cover its classes, and each nullable feature missing.

    Rows between two classes are left out: on another machine they may fall either way.
    """
    doubles = [str(name) for name in X.select_dtypes("float")]
    rounded = X.astype(dict.fromkeys(doubles, np.float32))
    rows = rounded.iloc[_chosen(y)]
    rows = pd.concat([rows, *(missing(rows.iloc[[0, -1]], name) for name in nullable)])
    answers = pipeline_answers(pipeline, rows.astype(X.dtypes.to_dict()))
    if "probabilities" in answers:
        second, best = np.sort(answers["probabilities"], axis=1)[:, -2:].T
        apart = best - second > 100 * tolerance
        rows = rows[apart]
        answers = {name: answer[apart] for name, answer in answers.items()}
    return {
        "inputs": {str(name): list(rows[name].to_numpy()) for name in rows},
        "outputs": {name: list(answer) for name, answer in answers.items()},
    }


def _chosen(y: pd.Series) -> list[int]:
    """Return positions of rows: two of each class in turn, or spread over a regression's values."""
    if y.nunique() > MAX_ROWS and pd.api.types.is_numeric_dtype(y):
        order = np.argsort(y.to_numpy(), kind="stable")
        return [int(order[at]) for at in np.linspace(0, len(y) - 1, MAX_ROWS).astype(int)]
    positions = [int(np.argmax(y == label)) for label in sorted(y.unique())]
    return positions[:MAX_ROWS]
