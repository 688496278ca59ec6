"""Tables of the models: scores, differences, costs, variants and tuning."""

from typing import Any

import pandas as pd

from research.report.figures import MODE_NAMES
from research.report.figures.models import NAMES
from research.report.tables import difference, spread


def scores(results: dict[str, Any], mode: str) -> pd.DataFrame:
    """Return every score of every model in a mode, on random folds and on whole plates."""
    rows = []
    for key, name in NAMES.items():
        cell = results[key][mode]
        random = cell["random"]
        rows.append(
            {
                "model": name,
                "macro F1": spread(random["macro_f1"]),
                "on plates": spread(cell["plates"]["macro_f1"]),
                "log loss": spread(random["log_loss"]),
                "Brier": spread(random["brier"]),
                "calibration error": spread(random["ece"]),
                "QSO precision": spread(random["precision_QSO"], 3),
                "QSO recall": spread(random["recall_QSO"], 3),
                "accuracy": spread(random["accuracy"]),
            }
        )
    return pd.DataFrame(rows).set_index("model")


def less_pairwise(results: dict[str, Any]) -> pd.DataFrame:
    """Return how every model differs from the published one on the same folds."""
    rows = [
        {"model": name}
        | {
            f"{label}, {MODE_NAMES[mode]}": difference(results[key][mode]["less_pairwise"][score])
            for mode in MODE_NAMES
            for score, label in (("macro_f1", "macro F1"), ("log_loss", "log loss"))
        }
        for key, name in NAMES.items()
        if key != "pairwise"
    ]
    return pd.DataFrame(rows).set_index("model")


def costs(results: dict[str, Any]) -> pd.DataFrame:
    """Return size, time to fit and time to answer of every model in both modes."""
    rows = [
        {"model": name}
        | {
            f"{label}, {MODE_NAMES[mode]}": f"{results[key][mode]['cost'][what]:,.{digits}f}"
            for what, label, digits in (
                ("kB", "kB", 0),
                ("fit_s", "fit s", 2),
                ("us_a_row", "µs a row", 1),
            )
            for mode in MODE_NAMES
        }
        for key, name in NAMES.items()
    ]
    return pd.DataFrame(rows).set_index("model")


def variants(results: dict[str, Any]) -> pd.DataFrame:
    """Return the scores of models behind calibration, weighted, or built otherwise."""
    rows = [
        {"model": name.replace("_", " "), "mode": MODE_NAMES[mode]}
        | {
            label: spread(cell[score])
            for score, label in (
                ("macro_f1", "macro F1"),
                ("log_loss", "log loss"),
                ("ece", "calibration error"),
                ("recall_QSO", "QSO recall"),
                ("precision_QSO", "QSO precision"),
            )
        }
        for name, by_mode in results.items()
        for mode, cell in by_mode.items()
    ]
    return pd.DataFrame(rows).set_index(["mode", "model"]).sort_index(level=0, sort_remaining=False)


def nested(results: dict[str, Any]) -> pd.DataFrame:
    """Return the scores of tuning repeated in every outer fold, beside the published settings."""
    rows = [
        {
            "mode": MODE_NAMES[mode],
            "score": score.replace("_", " "),
            "tuned inside the fold": spread(cell["nested"][score]),
            "published settings": spread(cell["published"][score]),
            "tuned less published": difference(cell["nested_less_published"][score]),
        }
        for mode, cell in results.items()
        for score in ("macro_f1", "log_loss")
    ]
    return pd.DataFrame(rows).set_index(["mode", "score"])
