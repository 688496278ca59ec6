"""What can be counted in the table: its columns, classes, edges, ids, plates and colours."""

from typing import Any

import astropy.units as units
import numpy as np
import pandas as pd
from astropy.coordinates import SkyCoord

from research.data import CLASSES
from research.report.experiments.populations import describe_colours, redshift
from research.report.experiments.setting import Setting
from research.report.table import COLOURS, whole_numbers

BANDS = tuple("ugriz")
# Softening of the asinh magnitudes, in units of the flux of an object of magnitude 0: Stoughton
# et al. 2002, table 21.
SOFTENING = {"u": 1.4e-10, "g": 0.9e-10, "r": 1.2e-10, "i": 1.8e-10, "z": 7.4e-10}
ERAS = (0, 1_000, 2_000, 3_510, 10**5)


def count(setting: Setting) -> dict[str, Any]:
    """Return the facts of the table that the notebooks speak of."""
    table = setting.table
    return {
        "rows": len(table),
        "classes": {
            label: {"rows": int(n), "share": float(n / len(table))}
            for label, n in table["class"].value_counts().items()
        },
        "edges": edges(table),
        "zero_flux": {band: zero_flux(band) for band in BANDS},
        "failed": failed(table),
        "ids": ids(table),
        "order": {
            name: float((table[name] == table[name].shift()).mean())
            for name in ("run", "plate", "class")
        },
        "sky": sky(table),
        "plates": plates(table),
        "redshift": redshift(table),
        "colours": describe_colours(table),
    }


def zero_flux(band: str) -> float:
    """Return the asinh magnitude of no flux at all, -2.5 lg b (Lupton, Gunn & Szalay 1999)."""
    return float(-2.5 * np.log10(SOFTENING[band]))


def flux(magnitude: float, band: str) -> float:
    """Return the flux of an asinh magnitude in nanomaggies, which may be negative."""
    b = SOFTENING[band]
    return float(2e9 * b * np.sinh(-magnitude * np.log(10) / 2.5 - np.log(b)))


def edges(table: pd.DataFrame) -> dict[str, Any]:
    """Return range and quartiles of each band, and how the sample ends in u and g."""
    quantiles = table[list(BANDS)].quantile([0, 0.25, 0.5, 0.75, 1])
    return {
        "bands": {band: [float(v) for v in quantiles[band]] for band in BANDS},
        "within_a_tenth_of_u": float((table["u"] > 19.5).mean()),
        "within_a_tenth_of_g": float((table["g"] > 19.9).mean()),
        "g_at_edge_rows": int((table["g"] > 19.9).sum()),
        "by_class_within_a_tenth_of_u": {
            label: float((table["u"] > 19.5)[table["class"] == label].mean()) for label in CLASSES
        },
    }


def failed(table: pd.DataFrame) -> dict[str, Any]:
    """Return the rows in which neighbouring bands differ by more than five magnitudes."""
    colours = table[list(COLOURS)].to_numpy()
    beyond = (np.abs(colours) > 5).any(axis=1)
    rows = np.flatnonzero(beyond)
    ranges = [np.ptp(part, axis=0) for part in (colours, colours[~beyond])]
    return {
        "rows": len(rows),
        "stretch": dict(zip(COLOURS, (ranges[0] / ranges[1]).tolist(), strict=True)),
        "objects": [
            {"row": int(n), "class": str(table.at[n, "class"])}
            | dict(zip(BANDS, magnitudes, strict=True))
            | {f"{b}_flux": flux(m, b) for b, m in zip(BANDS, magnitudes, strict=True)}
            for n in rows
            for magnitudes in [table[list(BANDS)].to_numpy()[n].tolist()]
        ],
    }


def ids(table: pd.DataFrame) -> dict[str, Any]:
    """Return what is left of the ids, and what can be read out of them.

    A specObjID holds the plate from bit 50, the fibre from 38 and the date less 50,000 from 24; an
    objID the run from bit 32, the camera column from 29 and the field from 16.
    """
    spectrum = np.array(whole_numbers(table["specobjid"]), dtype=object)
    image = np.array(whole_numbers(table["objid"]), dtype=object)
    kept = {
        "plate": spectrum // 2**50 == table["plate"],
        "fiberid": spectrum // 2**38 % 2**12 == table["fiberid"],
        "mjd": spectrum // 2**24 % 2**14 + 50_000 == table["mjd"],
        "run": image // 2**32 % 2**16 == table["run"],
        "camcol": image // 2**29 % 2**3 == table["camcol"],
        "field": image // 2**16 % 2**12 == table["field"],
    }
    return {
        "distinct": {name: int(table[name].nunique()) for name in table.columns},
        "read_back": {name: float(np.mean(right)) for name, right in kept.items()},
        "repeated_spectra": int(table.duplicated(["plate", "mjd", "fiberid"]).sum()),
        "repeated_magnitudes": int(table.duplicated(list(BANDS)).sum()),
    }


def sky(table: pd.DataFrame) -> dict[str, Any]:
    """Return where the sample lies, and how many objects have a neighbour within 3 arcsec."""
    place = SkyCoord(table["ra"].to_numpy() * units.deg, table["dec"].to_numpy() * units.deg)
    nearest = place.match_to_catalog_sky(place, nthneighbor=2)[1].arcsec
    latitude = np.abs(place.galactic.b.deg)
    return {
        "closest_arcsec": float(nearest.min()),
        "within_3_arcsec": int((nearest < 3).sum()),
        "median_latitude": float(np.median(latitude)),
        "share_below_30_degrees": float((latitude < 30).mean()),
        "share_within_2_degrees_of_the_equator": float((table["dec"].abs() < 2).mean()),
    }


def plates(table: pd.DataFrame) -> dict[str, Any]:
    """Return what kind of objects the plates of each era hold."""
    by_plate = table.groupby("plate")["class"].agg(["nunique", "size"])
    eras = pd.cut(table["plate"], ERAS).astype(str)
    return {
        "number": len(by_plate),
        "median_rows": float(by_plate["size"].median()),
        "largest": int(by_plate["size"].max()),
        "of_one_class": int((by_plate["nunique"] == 1).sum()),
        "rows_on_plates_of_one_class": float(
            by_plate.loc[by_plate["nunique"] == 1, "size"].sum() / len(table)
        ),
        "eras": {
            era: {"rows": len(part)}
            | {label: float((part["class"] == label).mean()) for label in CLASSES}
            for era, part in table.groupby(eras)
        },
        "boss_rows": int((table["mjd"] >= 55_000).sum()),
        "largest_fiberid": int(table["fiberid"].max()),
    }
