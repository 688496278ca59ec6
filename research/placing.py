"""Give synthetic objects a place: on the sky, in the imaging, and on a plate."""

import numpy as np
import pandas as pd

_FIBRES = 640


def place(sky: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Give every object its place on the sky, in the imaging and on a plate, in the sky's order."""
    n = len(sky)
    era = rng.random(n)
    late = (sky["class"] == "STAR") & (era < 0.55)
    deep = (sky["class"] == "QSO") & (era < 0.12)
    plate = np.select(
        [late, deep],
        [rng.integers(2300, 3511, n), rng.integers(3600, 8411, n)],
        rng.integers(266, 800, n),
    )
    order = pd.Series(plate).groupby(plate).cumcount().to_numpy()
    mjd = np.interp(plate, [266, 3306, 8410], [51578, 54922, 57481]).astype(int) + order // _FIBRES
    fiber = order % _FIBRES + 1
    run, camcol, field = rng.integers(752, 5000, n), rng.integers(1, 7, n), rng.integers(11, 800, n)
    # The survey packs where a thing was measured into the bits of its identifier.
    objid = (1 << 60) | (301 << 48) | (run << 32) | (camcol << 29) | (field << 16) | (order % 65536)
    # Unsigned: plates from 8192 on need the 64th bit.
    specobjid = plate.astype(np.uint64) << 50 | np.uint64(103 << 10)
    specobjid |= (fiber << 38 | (mjd - 50000) << 24).astype(np.uint64)
    placed = sky.assign(
        objid=objid,
        ra=rng.uniform(0, 360, n).round(8),
        dec=np.degrees(np.arcsin(rng.uniform(-0.1, 0.93, n))).round(8),
        run=run,
        rerun=301,
        camcol=camcol,
        field=field,
        specobjid=specobjid,
        plate=plate,
        mjd=mjd,
        fiberid=fiber,
    )
    return placed.sort_values(["run", "camcol", "field"], ignore_index=True)
