"""How the colours of stars, galaxies and quasars run: each along one sequence."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


class Sequence(NamedTuple):
    """The colours u-g, g-r, r-i and i-z of a kind of object, at places along it."""

    nodes: list[float]
    colours: list[list[float]]


# u-g, g-r, r-i and i-z of stars by g-i: a sequence of temperature, white dwarfs on the left.
# Medians of release 14, u < 19.6, g < 20, as are the two tables below.
_STAR_NODES = [-0.8, -0.4, -0.3, -0.1, 0.1, 0.25, 0.35, 0.45, 0.55, 0.7, 0.9, 1.15, 1.45, 1.8]
_STAR_COLOURS = [
    [-0.3, 0.3, 1.1, 1.19, 1.09, 1.01, 0.93, 0.96, 1.08, 1.34, 1.53, 1.91, 2.36, 2.56],
    [-0.45, -0.23, -0.16, -0.04, 0.11, 0.2, 0.27, 0.32, 0.4, 0.52, 0.62, 0.8, 1.02, 1.23],
    [-0.35, -0.2, -0.15, -0.07, 0.01, 0.06, 0.1, 0.12, 0.15, 0.19, 0.24, 0.31, 0.38, 0.51],
    [-0.3, -0.18, -0.1, -0.06, -0.03, 0.0, 0.02, 0.04, 0.06, 0.09, 0.13, 0.17, 0.21, 0.27],
]
# The same of galaxies by g-r, from star-forming to old.
_GALAXY_NODES = [0.05, 0.15, 0.26, 0.36, 0.45, 0.55, 0.65, 0.75, 0.85, 0.94, 1.05, 1.3]
_GALAXY_COLOURS = [
    [0.5, 0.73, 0.9, 1.02, 1.12, 1.21, 1.31, 1.45, 1.74, 1.9, 1.99, 2.1],
    [0.05, 0.15, 0.26, 0.36, 0.45, 0.55, 0.65, 0.75, 0.85, 0.94, 1.05, 1.3],
    [0.1, 0.16, 0.21, 0.25, 0.29, 0.34, 0.38, 0.4, 0.42, 0.44, 0.46, 0.52],
    [0.0, 0.03, 0.07, 0.11, 0.16, 0.2, 0.24, 0.29, 0.32, 0.35, 0.38, 0.42],
]
# The same of quasars by redshift: emission lines pass from band to band.
_QSO_NODES = [0.1, 0.22, 0.38, 0.52, 0.7, 0.9, 1.12, 1.38, 1.62, 1.88, 2.12, 2.38, 2.62, 2.9, 3.3]
_QSO_COLOURS = [
    [0.8, 0.24, 0.24, 0.33, 0.36, 0.25, 0.15, 0.11, 0.22, 0.1, 0.17, 0.55, 0.69, 1.21, 1.72],
    [0.6, 0.44, 0.14, -0.03, 0.04, 0.16, 0.25, 0.25, 0.08, 0.06, 0.09, 0.12, 0.13, 0.16, 0.67],
    [0.45, 0.3, 0.12, 0.16, 0.05, -0.05, 0.0, 0.09, 0.22, 0.25, 0.12, 0.03, 0.03, 0.12, 0.24],
    [0.2, 0.26, 0.42, 0.03, 0.05, 0.12, -0.03, -0.03, 0.0, 0.06, 0.21, 0.22, 0.18, 0.16, 0.1],
]

STARS = Sequence(_STAR_NODES, _STAR_COLOURS)
GALAXIES = Sequence(_GALAXY_NODES, _GALAXY_COLOURS)
QUASARS = Sequence(_QSO_NODES, _QSO_COLOURS)


def along(sequence: Sequence, at: Numbers, scatter: Numbers) -> Numbers:
    """Return the four colours at places on a sequence, scattered around it.

    Parameters
    ----------
    at : ndarray of shape (n_objects,)
    scatter : ndarray of shape (4, n_objects)
    """
    colours = [np.interp(at, sequence.nodes, colour) for colour in sequence.colours]
    return np.array(colours) + scatter
