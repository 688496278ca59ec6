"""Make a synthetic survey: what a table of it looks like, for tests and for building offline.

No row of it was ever measured, each says so in its column `synthetic`, and a score on it means
nothing. Run it as ``python -m research.simulate --rows 10000 --out simulated.parquet``.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from research.placing import place
from research.schema import DOMAIN, SYNTHETIC
from research.sequences import GALAXIES, QUASARS, STARS, Numbers, along

SEED = 0
# What a model says of itself that was trained on such rows.
WARNING = (
    "SYNTHETIC: trained on simulated objects, none of them measured; its scores mean nothing. "
)
_SHARES = {"GALAXY": 0.5, "STAR": 0.415, "QSO": 0.085}
# Magnitudes at which the survey measures to a fifth (sdss.org, scope of the imaging), and what
# its calibration leaves at the bright end.
_FIVE_SIGMA = np.array([22.15, 23.13, 22.70, 22.20, 20.71])
_FLOOR = 0.015
_FAILED_SHARE = 0.0005
# Galaxies were chosen for spectra to this r; luminosities follow Schechter's function around the
# absolute magnitude and with the slope of Blanton et al. 2003, ApJ 592, 819, for h = 0.7.
_GALAXY_LIMIT = 17.77
_KNEE = -21.2
_SLOPE = -1.05
_HUBBLE_MPC = 4283.0  # c / H0


def simulate(rows: int, seed: int = SEED) -> pd.DataFrame:
    """Return a synthetic survey table with the columns and about the class shares of the real one.

    Parameters
    ----------
    rows : int
        How many; 100 at least, so that every class is there.
    """
    rng = np.random.default_rng(seed)
    counts = {name: round(share * rows) for name, share in _SHARES.items()}
    counts["GALAXY"] += rows - sum(counts.values())
    parts = [_observe(name, count, rng) for name, count in counts.items()]
    sky = pd.concat(parts).sample(frac=1, random_state=rng, ignore_index=True)
    return place(sky, rng).assign(**{SYNTHETIC: True})


def _observe(name: str, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return `count` objects of a class that the survey's limits let through."""
    make = {"GALAXY": _galaxies, "STAR": _stars, "QSO": _quasars}[name]
    found = pd.DataFrame()
    while len(found) < count:
        r, colours, redshift = make(4 * count + 100, rng)
        u_g, g_r, r_i, i_z = colours
        true = np.column_stack([r + g_r + u_g, r + g_r, r, r - r_i, r - r_i - i_z])
        error = _FLOOR + 10 ** (0.4 * (true - _FIVE_SIGMA)) / 5
        seen = true + error * rng.normal(size=true.shape)
        failed = rng.random(true.shape) < _FAILED_SHARE / 5
        seen += np.where(failed, rng.uniform(-3, 5, true.shape), 0.0)
        new = pd.DataFrame(seen.round(5), columns=list("ugriz")).assign(redshift=redshift.round(7))
        inside = (new["u"] < DOMAIN["u"]) & (new["g"] < DOMAIN["g"]) & (new.min(axis=1) > -1)
        found = pd.concat([found, new[inside & (new["r"] > 11)]])
    return found[:count].assign(**{"class": name})


def _stars(n: int, rng: np.random.Generator) -> tuple[Numbers, Numbers, Numbers]:
    kind = rng.choice(4, n, p=[0.45, 0.35, 0.135, 0.065])
    g_i = np.choose(
        kind,
        [
            rng.normal(0.45, 0.1, n),
            rng.normal(0.72, 0.16, n) + rng.exponential(0.14, n),
            rng.uniform(-0.35, 0.35, n),
            rng.uniform(-0.75, -0.3, n),
        ],
    )
    # Few are binaries, or lie behind dust, and leave the sequence.
    odd = np.where(rng.random(n) < 0.06, 4.0, 1.0)
    wide = np.where(kind == 3, 2.0, 1.0)
    scale = np.array([0.08, 0.02, 0.015, 0.02])[:, None] * odd * wide
    colours = along(STARS, g_i, scale * rng.normal(size=(4, n)))
    r = 19.9 - rng.gamma(1.6, 0.95, n) - colours[0] - colours[1]
    return r, colours, rng.normal(0, 4e-4, n) * np.where(rng.random(n) < 0.1, 2.5, 1.0)


def _galaxies(n: int, rng: np.random.Generator) -> tuple[Numbers, Numbers, Numbers]:
    # In a sample to a limit, a galaxy's chance grows with the volume it is seen in, L^1.5.
    luminosity = rng.gamma(_SLOPE + 2.5, 1.0, n)
    nearness = rng.random(n) ** (1 / 3)
    farthest = 10 ** ((_GALAXY_LIMIT - _KNEE + 2.5 * np.log10(luminosity) - 25) / 5)
    redshift = farthest * nearness / _HUBBLE_MPC
    redshift /= 1 + 0.75 * redshift
    r = _GALAXY_LIMIT + 5 * np.log10(nearness)
    old = rng.random(n) < 0.64
    g_r = np.where(
        old,
        rng.normal(0.77, 0.05, n) + 1.8 * redshift,
        rng.normal(0.46, 0.15, n) + 1.3 * redshift,
    )
    odd = np.where(rng.random(n) < 0.05, 3.0, 1.0)
    # Near ones are taken apart: what was measured is a knot of young stars.
    knots = redshift < 0.02
    g_r = np.where(knots, g_r - rng.exponential(0.15, n), g_r)
    scale = np.array([0.09, 0.01, 0.025, 0.025])[:, None] * odd * np.where(knots, 3.0, 1.0)
    scatter = scale * rng.normal(size=(4, n))
    # Some galaxies share the redshift of a star that is in front, or are clusters of our own.
    own = rng.random(n) < 0.004
    return (
        r + np.where(rng.random(n) < 0.05, rng.exponential(0.8, n), 0.0),
        along(GALAXIES, g_r, scatter),
        np.where(own, rng.normal(0, 4e-4, n), np.maximum(redshift, 0.002)),
    )


def _quasars(n: int, rng: np.random.Generator) -> tuple[Numbers, Numbers, Numbers]:
    redshift = np.abs(rng.normal(1.2, 0.75, n)) + 0.04
    scale = np.array([0.1, 0.1, 0.08, 0.08])[:, None]
    colours = along(QUASARS, redshift, scale * rng.normal(size=(4, n)))
    dust = rng.exponential(0.02, n) * np.where(rng.random(n) < 0.1, 8.0, 1.0) - 0.03
    colours += dust * np.array([1.0, 0.9, 0.6, 0.5])[:, None]
    # The light of the galaxy around it counts where it is near.
    host = np.clip(1 - redshift / 0.35, 0, 1) * rng.random(n)
    colours += host * (np.array([1.5, 0.7, 0.42, 0.3])[:, None] - colours)
    u = 19.75 - rng.gamma(1.2, 0.55, n) - 1.5 * host
    return u - colours[0] - colours[1], colours, redshift


def main() -> None:
    """Simulate and write a Parquet file that says it is synthetic."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000, help="objects, at least 100")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, required=True, help="Parquet file to write")
    options = parser.parse_args()
    if options.rows < 100:
        raise SystemExit("research.simulate: --rows must be 100 or more")
    table = pa.Table.from_pandas(simulate(options.rows, options.seed), preserve_index=False)
    about = {"synthetic": f"research.simulate, {options.rows} rows, seed {options.seed}"}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(about), options.out)
    print(f"wrote {options.out}: {options.rows:,} synthetic objects, none of them measured")


if __name__ == "__main__":
    main()
