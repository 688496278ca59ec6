"""How the classes lie in redshift and colour, beside the cuts of the literature."""

from typing import Any

import pandas as pd

from research.data import CLASSES
from research.report.table import COLOURS

LIGHT_KM_S = 299_792.458


def redshift(table: pd.DataFrame) -> dict[str, Any]:
    """Return how the redshifts of the classes lie to each other."""
    z, kind = table["redshift"], table["class"]
    star, galaxy, quasar = (kind == label for label in ("STAR", "GALAXY", "QSO"))
    return {
        "quantiles": {
            label: [float(v) for v in z[kind == label].quantile([0, 0.01, 0.5, 0.99, 1])]
            for label in CLASSES
        },
        "largest_of_a_star": float(z[star].abs().max()),
        "fastest_star_km_s": float(z[star].abs().max() * LIGHT_KM_S),
        "sd_of_stars_km_s": float(z[star].std() * LIGHT_KM_S),
        "stars_above_600_km_s": int((z[star].abs() * LIGHT_KM_S > 600).sum()),
        "galaxies_below_0.002": int((galaxy & (z.abs() < 0.002)).sum()),
        "exactly_zero": int((z == 0).sum()),
        "exactly_zero_galaxies": int((galaxy & (z == 0)).sum()),
        "zero_on_star_plates": int(((z == 0) & (table["plate"].between(1_001, 3_510))).sum()),
        "share_of_galaxies_on_star_plates": float(
            table.loc[galaxy, "plate"].between(1_001, 3_510).mean()
        ),
        "quasars_below_0.15": int((quasar & (z < 0.15)).sum()),
        "quasars_beyond_2.2": float((z[quasar] > 2.2).mean()),
    }


def describe_colours(table: pd.DataFrame) -> dict[str, Any]:
    """Return the cuts of the literature on this table, and the galaxies' colours by redshift."""
    excess = table["u-g"] < 0.6
    kind, z = table["class"], table["redshift"]
    quasar, galaxy = kind == "QSO", kind == "GALAXY"
    bins = pd.cut(z[galaxy], [0.002, 0.02, 0.05, 0.08, 0.11, 0.15, 0.2, 0.3, 1.0])
    grouped = table[galaxy].groupby(bins, observed=True)
    return {
        "medians": {
            label: {name: float(table.loc[kind == label, name].median()) for name in COLOURS}
            for label in CLASSES
        },
        "quasars_with_excess": float(excess[quasar].mean()),
        "quasars_with_excess_below_2.2": float(excess[quasar & (z < 2.2)].mean()),
        "quasars_with_excess_beyond_2.7": float(excess[quasar & (z > 2.7)].mean()),
        "others_with_excess": int((excess & ~quasar).sum()),
        "share_of_excess_that_is_quasar": float(quasar[excess].mean()),
        "red_galaxies": float((table.loc[galaxy, "u-r"] > 2.22).mean()),
        "galaxies_by_redshift": {
            str(name): {"rows": len(part)}
            | {colour: float(part[colour].median()) for colour in COLOURS}
            | {"g-r_of_the_reddest_tenth": float(part["g-r"].quantile(0.9))}
            for name, part in grouped
        },
        "gap": gap(table),
        "correlation_u_r": float(table["u"].corr(table["r"])),
        "correlation_ug_gr": float(table["u-g"].corr(table["g-r"])),
        "correlation_g_r": float(table["g"].corr(table["r"])),
        "correlation_i_z": float(table["i"].corr(table["z"])),
    }


def gap(table: pd.DataFrame) -> dict[str, Any]:
    """Return how far apart galaxies and stars of like g-r are in r-i, and how wide each is."""
    alike = table[table["g-r"].between(0.45, 0.65)]
    found: dict[str, Any] = {"g-r": [0.45, 0.65]}
    for label in ("GALAXY", "STAR"):
        values = alike.loc[alike["class"] == label, "r-i"]
        middle = values.median()
        # A standard deviation that a few failed rows cannot move.
        sd = 1.4826 * (values - middle).abs().median()
        found[label] = {"rows": len(values), "median": float(middle), "sd": float(sd)}
    return found | {"apart": found["GALAXY"]["median"] - found["STAR"]["median"]}
