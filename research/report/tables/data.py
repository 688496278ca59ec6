"""Tables of the columns, of what they give away, and of the sets of features."""

from typing import Any

import pandas as pd

from research.report.columns import COLUMNS
from research.report.tables import difference, spread


def columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return every column: who measured what, its range, and what we do with it."""
    rows = []
    for name, about in COLUMNS.items():
        values = table[name]
        number = pd.api.types.is_numeric_dtype(values)
        rows.append(
            {
                "column": name,
                "what it is": about.meaning,
                "measured by": about.source,
                "unit": about.unit,
                "from": f"{values.min():g}" if number else "",
                "to": f"{values.max():g}" if number else "",
                "distinct": f"{values.nunique():,}",
                "decision": about.decision,
            }
        )
    return pd.DataFrame(rows).set_index("column")


def leakage(results: dict[str, Any]) -> pd.DataFrame:
    """Return macro F1 and log loss of every suspect, alone and added, on both kinds of folds."""
    rows = []
    for name, cell in results.items():
        if "random" not in cell:
            continue
        rows.append(
            {"features": name.replace("_", " ")}
            | {
                f"{label}, {kind}": spread(cell[kind][score])
                for score, label in (("macro_f1", "macro F1"), ("log_loss", "log loss"))
                for kind in ("random", "plates")
            }
        )
    return pd.DataFrame(rows).set_index("features")


def ablation(cells: dict[str, Any]) -> pd.DataFrame:
    """Return the scores of every set of features, and how each differs from the published."""
    rows = [
        {
            "features": name.replace("_", " "),
            "macro F1": spread(cell["macro_f1"]),
            "less ours": difference(cell["less_ours"]["macro_f1"]),
            "log loss": spread(cell["log_loss"]),
            "less ours ": difference(cell["less_ours"]["log_loss"]),
            "QSO F1": spread(cell["f1_QSO"], 3),
        }
        for name, cell in cells.items()
    ]
    return pd.DataFrame(rows).set_index("features")
