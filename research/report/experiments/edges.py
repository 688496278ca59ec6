"""What becomes of an answer where the table ends: fainter, noisier, failed, or other shares."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold

from research.data import CLASSES
from research.evaluate import FOLDS
from research.report.experiments.setting import MODES, SEED, Setting, head
from research.report.experiments.trust import out_of_fold
from research.report.measures import calibration_error, predict_folds, score_rows

# Train on what is brighter than each of these in u, ask about what is fainter.
LIMITS = (18.0, 18.5, 19.0)
# Width in u of the steps in which the fainter rows are scored.
STEP = 0.2
NOISE = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
SENTINEL = -9999.0
FAILED = 5.0


def transfer(setting: Setting) -> dict[str, Any]:
    """Return by mode and limit what heads trained on bright rows say of fainter ones.

    The control is trained on as many rows of all magnitudes, and asked about the same ones.
    """
    u = setting.table["u"].to_numpy()
    found: dict[str, Any] = {mode: {} for mode in MODES}
    for limit in LIMITS:
        bright, faint = np.flatnonzero(u < limit), np.flatnonzero(u >= limit)
        for mode in MODES:
            Z, y = setting.Z(mode), setting.y
            answers = {
                "bright": head(mode).fit(Z[bright], y[bright]).predict_proba(Z[faint]),
                "control": _control(mode, Z, y, len(bright), faint),
            }
            found[mode][str(limit)] = {
                name: score_rows(p, y[faint])
                | {"ece": calibration_error(p, y[faint]), "sureness": float(p.max(axis=1).mean())}
                | {"galaxies_as_quasars": _galaxies_as_quasars(p, y[faint])}
                | {"steps": _steps(p, y, u, limit, faint)}
                for name, p in answers.items()
            } | {"trained_on": len(bright), "asked_about": len(faint)}
    shares = {
        str(limit): {
            label: [float((setting.y[rows] == label).mean()) for rows in (u < limit, u >= limit)]
            for label in CLASSES
        }
        for limit in LIMITS
    }
    return found | {"shares": shares}


def _control(
    mode: str, Z: NDArray[Any], y: NDArray[np.str_], rows: int, faint: NDArray[np.intp]
) -> NDArray[np.float64]:
    p = np.zeros((len(faint), len(CLASSES)))
    rng = np.random.default_rng(SEED)
    for _, part in KFold(FOLDS, shuffle=True, random_state=SEED).split(faint):
        others = np.setdiff1d(np.arange(len(y)), faint[part])
        train = rng.choice(others, size=min(rows, len(others)), replace=False)
        p[part] = head(mode).fit(Z[train], y[train]).predict_proba(Z[faint[part]])
    return p


def _galaxies_as_quasars(p: NDArray[np.float64], y: NDArray[np.str_]) -> int:
    return int(((y == "GALAXY") & (p.argmax(axis=1) == CLASSES.index("QSO"))).sum())


def _steps(
    p: NDArray[np.float64], y: NDArray[np.str_], u: NDArray[Any], limit: float, faint: Any
) -> list[dict[str, float]]:
    step = ((u[faint] - limit) / STEP).astype(int)
    wrong = np.array(CLASSES)[p.argmax(axis=1)] != y[faint]
    return [
        {
            "from": float(limit + STEP * n),
            "error": float(wrong[step == n].mean()),
            "rows": int((step == n).sum()),
        }
        for n in range(int(np.ceil((19.6 - limit) / STEP - 1e-9)))
        if (step == n).any()
    ]


def disturb(setting: Setting) -> dict[str, Any]:
    """Return by mode the scores when asked about noisier rows, and about failed measurements."""
    table, y = setting.table, setting.y
    magnitudes = table[list("ugriz")].to_numpy(dtype=np.float32)
    noise = np.random.default_rng(SEED).normal(size=magnitudes.shape).astype(np.float32)
    changed = {f"noise_{sigma}": magnitudes + np.float32(sigma) * noise for sigma in NOISE}
    for number, band in enumerate("ugriz"):
        changed[f"failed_{band}"] = magnitudes.copy()
        changed[f"failed_{band}"][:, number] = SENTINEL
    found: dict[str, Any] = {mode: {} for mode in MODES}
    for mode in MODES:
        p = {name: np.zeros((len(y), len(CLASSES))) for name in changed}
        for train, test in setting.folds[:FOLDS]:
            fitted = head(mode).fit(setting.Z(mode)[train], y[train])
            for name, bands in changed.items():
                asked = derived_from(bands[test], table["redshift"].to_numpy()[test], mode)
                p[name][test] = fitted.predict_proba(asked)
        for name, each in p.items():
            found[mode][name] = score_rows(each, y) | {
                "ece": calibration_error(each, y),
                "sureness": float(each.max(axis=1).mean()),
            }
    return found | {"failed_rows": _failed(setting)}


def derived_from(bands: NDArray[Any], redshift: NDArray[Any], mode: str) -> NDArray[np.float32]:
    """Return what the head of a mode is given, from the five bands and the redshift."""
    columns = [bands[:, 2], *-np.diff(bands, axis=1).T]
    return np.column_stack(columns + [redshift] * (mode == MODES[0])).astype(np.float32)


def _failed(setting: Setting) -> list[dict[str, Any]]:
    """Return what is said out of fold of the rows whose photometry failed."""
    colours = setting.Z(MODES[1])[:, 1:]
    rows = np.flatnonzero((np.abs(colours) > FAILED).any(axis=1))
    answers, bands = out_of_fold(setting), setting.table[list("ugriz")].to_numpy()
    return [
        {"row": int(n), "class": str(setting.y[n])}
        | dict(zip("ugriz", bands[n].tolist(), strict=True))
        | {f"p_{mode}": float(p[n][CLASSES.index(setting.y[n])]) for mode, p in answers.items()}
        for n in rows
    ]


def reweigh(setting: Setting) -> dict[str, Any]:
    """Return log loss in a sky where the three classes are alike common, mended and not.

    References
    ----------
    M. Saerens et al., Adjusting the outputs of a classifier to new a priori probabilities,
    Neural Computation 14, 2002.
    """
    y = setting.y
    shares = pd.Series(y).value_counts(normalize=True)[list(CLASSES)].to_numpy()
    weights = (1 / shares)[np.searchsorted(CLASSES, y)]
    found = {}
    for mode in MODES:
        p = predict_folds(head(mode), setting.Z(mode), y, setting.folds[:FOLDS])[0]
        mended = p / shares
        mended /= mended.sum(axis=1, keepdims=True)
        found[mode] = {
            name: float(log_loss(y, each, sample_weight=weights, labels=list(CLASSES)))
            for name, each in (("as_it_is", p), ("mended", mended))
        }
    return found
