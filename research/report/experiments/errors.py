"""The errors of both heads: who they are, where they lie, and which labels physics doubts."""

from typing import Any

import astropy.units as units
import numpy as np
import pandas as pd
from astropy.coordinates import SkyCoord
from astropy.cosmology import FlatLambdaCDM
from numpy.typing import NDArray

from research.data import CLASSES
from research.report.experiments.populations import LIGHT_KM_S
from research.report.experiments.setting import Setting
from research.report.experiments.trust import out_of_fold
from research.report.measures import score_rows, share

# km/s. Above it a star leaves the Galaxy at the Sun's place: Piffl et al. 2014 find an escape
# speed of 533 (+54 -41) km/s; with a star's motion against the Sun's none should pass this.
ESCAPE_KM_S = 800.0
# From here on the Lyman limit, 912 A at rest, lies beyond the middle of the u band (3551 A), and
# the forest has taken most of the light there: no such quasar is blue in u-g.
LYMAN_REDSHIFT = 3.0
LYMAN_COLOUR = 1.0
# Nearly four magnitudes above the knee of the luminosity function, -21.2 in r: Blanton et al. 2003.
BRIGHTEST = -25.0
COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)
WORST = 14
CONFIDENT = 0.95


def doubts(table: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Return by reason the rows whose label or redshift cannot be as the table says."""
    kind, z = table["class"], table["redshift"]
    galaxy, quasar, star = (kind == label for label in CLASSES)
    hubble_flow = z.clip(lower=0.01)
    luminosity = table["r"] - COSMOLOGY.distmod(hubble_flow.to_numpy()).value
    # No old or young population is this blue in every colour; emission lines redden one of them.
    hot = (table["u-g"] < 0.3) & (table["g-r"] < 0) & (table["r-i"] < 0)
    found = {
        "galaxy_without_redshift": galaxy & (z == 0),
        "galaxy_too_luminous": galaxy & (z > 0.01) & (luminosity < BRIGHTEST),
        "galaxy_with_colours_of_a_hot_star": galaxy & (z > 0.1) & hot,
        "quasar_without_redshift": quasar & (z < 0.01),
        "quasar_beyond_lyman_limit": quasar & (z > LYMAN_REDSHIFT) & (table["u-g"] < LYMAN_COLOUR),
        "star_too_fast": star & (z.abs() * LIGHT_KM_S > ESCAPE_KM_S),
    }
    return {name: np.asarray(rows) for name, rows in found.items()}


def analyse(setting: Setting) -> dict[str, Any]:
    """Return for both modes the errors by class, place and object."""
    table, y = setting.table, setting.y
    doubted = doubts(table)
    any_doubt = np.any(list(doubted.values()), axis=0)
    found: dict[str, Any] = {
        "doubtful": {name: int(rows.sum()) for name, rows in doubted.items()},
        "doubtful_rows": int(any_doubt.sum()),
    }
    for mode, p in out_of_fold(setting).items():
        said = np.array(CLASSES)[p.argmax(axis=1)]
        wrong = said != y
        found[mode] = {
            "wrong": int(wrong.sum()),
            "wrong_and_doubtful": int((wrong & any_doubt).sum()),
            "confident_and_wrong": int((wrong & (p.max(axis=1) > CONFIDENT)).sum()),
            "confident_wrong_and_doubtful": int(
                (wrong & any_doubt & (p.max(axis=1) > CONFIDENT)).sum()
            ),
            "error_among_doubtful": share(wrong[any_doubt]),
            "kinds": {
                f"{a}_as_{b}": int(((y == a) & (said == b)).sum())
                for a in CLASSES
                for b in CLASSES
                if a != b
            },
            "without_doubtful": score_rows(p[~any_doubt], y[~any_doubt]),
            "all": score_rows(p, y),
            "by": {name: _rates(wrong, groups) for name, groups in _groups(table).items()},
            "recall_by_redshift": _recall(said, table),
            "worst": _worst(table, p, y, doubted),
            "rows": [
                {"row": int(n), "said": str(said[n]), "p": round(float(p[n].max()), 4)}
                for n in np.flatnonzero(wrong)
            ],
        }
    return found


def _groups(table: pd.DataFrame) -> dict[str, pd.Series]:
    place = SkyCoord(table["ra"].to_numpy() * units.deg, table["dec"].to_numpy() * units.deg)
    latitude = pd.Series(np.abs(place.galactic.b.deg))
    return {
        "class": table["class"],
        "u": pd.cut(table["u"], [0, 17, 17.5, 18, 18.5, 19, 19.2, 19.4, 19.6]),
        "latitude": pd.cut(latitude, [0, 30, 40, 50, 60, 90]),
        "spectrograph": pd.Series(np.where(table["mjd"] >= 55_000, "BOSS", "SDSS")),
        "programme": pd.cut(table["plate"], [0, 1_000, 3_510, 10**5]),
    }


def _rates(
    wrong: NDArray[np.bool_], groups: pd.Series, name_of_rate: str = "error"
) -> dict[str, dict[str, float]]:
    rates = pd.Series(wrong).groupby(groups.to_numpy(), observed=True).agg(["mean", "size"])
    return {
        str(name): {name_of_rate: float(row["mean"]), "rows": int(row["size"])}
        for name, row in rates.iterrows()
    }


def _recall(said: NDArray[np.str_], table: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return by class and bin of redshift the share that is found."""
    edges = {
        "GALAXY": [0.002, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.4, 1.0],
        "QSO": [0, 0.15, 0.3, 0.5, 0.8, 1.2, 1.6, 2.0, 2.4, 2.7, 3.0, 6.0],
    }
    return {
        label: _rates((said == label)[rows], pd.cut(table.loc[rows, "redshift"], ends), "share")
        for label, ends in edges.items()
        for rows in [np.asarray(table["class"] == label)]
    }


def _worst(
    table: pd.DataFrame, p: NDArray[np.float64], y: NDArray[np.str_], doubted: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the objects whose true class was given the least probability, worst first."""
    true = p[np.arange(len(y)), np.searchsorted(CLASSES, y)]
    columns = ["ra", "dec", "plate", "mjd", "fiberid", *"ugriz", "u-g", "g-r", "r-i", "redshift"]
    known = table[columns].to_numpy(dtype=float)
    return [
        {"row": int(n), "class": str(y[n]), "said": CLASSES[int(p[n].argmax())]}
        | {"p_true": float(true[n]), "p_said": float(p[n].max())}
        | dict(zip(columns, known[n].tolist(), strict=True))
        | {"doubt": [reason for reason, rows in doubted.items() if rows[n]]}
        for n in np.argsort(true, kind="stable")[:WORST]
    ]
