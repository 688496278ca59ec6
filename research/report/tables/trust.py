"""Tables of errors, doubtful labels, edges and prediction sets."""

from typing import Any

import pandas as pd

from research.data import CLASSES
from research.report.figures import MODE_NAMES


def sets(results: dict[str, Any]) -> pd.DataFrame:
    """Return coverage by class and size of prediction sets."""
    rows = [
        {
            "mode": MODE_NAMES[mode],
            "thresholds": kind.replace("_0", ", alpha 0").replace("_", " "),
        }
        | {f"holds {label}": f"{cell[f'coverage_{label}']:.3f}" for label in CLASSES}
        | {
            "mean size": f"{cell['size']:.3f}",
            "of one": f"{cell['single']:.3f}",
            "right if of one": f"{cell['single_right']:.4f}",
            "empty": f"{cell['empty']:.4f}",
        }
        for mode, kinds in results.items()
        for kind, cell in kinds.items()
    ]
    return pd.DataFrame(rows).set_index(["mode", "thresholds"])


def worst(errors: dict[str, Any], mode: str) -> pd.DataFrame:
    """Return the objects whose true class was given the least probability."""
    rows = [
        {
            "row": each["row"],
            "ra": f"{each['ra']:.5f}",
            "dec": f"{each['dec']:+.5f}",
            "plate-mjd-fibre": f"{each['plate']:.0f}-{each['mjd']:.0f}-{each['fiberid']:.0f}",
            "is": each["class"],
            "said": f"{each['said']} {each['p_said']:.3f}",
            "r": f"{each['r']:.2f}",
            "u-g": f"{each['u-g']:.2f}",
            "g-r": f"{each['g-r']:.2f}",
            "r-i": f"{each['r-i']:.2f}",
            "redshift": f"{each['redshift']:.5f}",
            "doubt": ", ".join(each["doubt"]).replace("_", " "),
        }
        for each in errors[mode]["worst"]
    ]
    return pd.DataFrame(rows).set_index("row")


def rates(errors: dict[str, Any], group: str) -> pd.DataFrame:
    """Return the share called wrongly in every part of a grouping, in both modes."""
    rows = [
        {group: name, "objects": f"{cell['rows']:,}"}
        | {
            f"wrong, {MODE_NAMES[mode]}": f"{errors[mode]['by'][group][name]['error']:.2%}"
            for mode in MODE_NAMES
        }
        for name, cell in errors["with_redshift"]["by"][group].items()
    ]
    return pd.DataFrame(rows).set_index(group)


def doubts(errors: dict[str, Any]) -> pd.DataFrame:
    """Return how many rows physics doubts, by reason."""
    rows = [
        {
            "what cannot be as it is written": name.replace("_", " ").replace("lyman", "the Lyman"),
            "rows": count,
        }
        for name, count in errors["doubtful"].items()
    ]
    return pd.DataFrame(rows).set_index("what cannot be as it is written")


def failures(disturb: dict[str, Any]) -> pd.DataFrame:
    """Return what a failed band, written as -9999, does to the answers."""
    rows = [
        {"failed band": band}
        | {
            f"{label}, {MODE_NAMES[mode]}": f"{disturb[mode][f'failed_{band}'][score]:.3f}"
            for mode in MODE_NAMES
            for score, label in (("accuracy", "right"), ("sureness", "mean probability"))
        }
        for band in "ugriz"
    ]
    return pd.DataFrame(rows).set_index("failed band")


def transfers(results: dict[str, Any]) -> pd.DataFrame:
    """Return the scores on rows fainter than all training rows, beside a control."""
    rows = [
        {
            "mode": MODE_NAMES[mode],
            "trained on": f"u < {limit}",
            "training rows": f"{cell['trained_on']:,}",
            "asked": f"{cell['asked_about']:,}",
        }
        | {
            f"{label}, {name}": f"{cell[name][score]:.4f}"
            for score, label in (
                ("macro_f1", "macro F1"),
                ("log_loss", "log loss"),
                ("accuracy", "right"),
                ("sureness", "mean probability"),
            )
            for name in ("bright", "control")
        }
        for mode in MODE_NAMES
        for limit, cell in results[mode].items()
    ]
    return pd.DataFrame(rows).set_index(["mode", "trained on"])


def hardening(light: dict[str, Any]) -> pd.DataFrame:
    """Return macro F1 of the three photometric heads under noise and dust."""
    kinds = {"noise": "noise of {} mag", "dust": "dust of E(B-V) = {}"}
    rows = [
        {"asked": name.format(level)}
        | {
            label: f"{light[key][f'{kind}_{level}']['macro_f1']:.4f}"
            for key, label in (
                ("bare", "as published"),
                ("taught_0.02", "taught 0.02 mag"),
                ("taught_0.05", "taught 0.05 mag"),
            )
        }
        for kind, name in kinds.items()
        for level in light["levels"][kind]
    ]
    return pd.DataFrame(rows).set_index("asked")
