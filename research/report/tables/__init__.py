"""The tables of the notebooks, as text with as many digits as the spread allows."""

from typing import Any


def spread(cell: dict[str, Any], digits: int = 4) -> str:
    """Return mean ± standard deviation, or the one value there is."""
    if len(cell["folds"]) == 1:
        return f"{cell['mean']:.{digits}f}"
    return f"{cell['mean']:.{digits}f} ± {cell['sd']:.{digits}f}"


def difference(cell: dict[str, float], digits: int = 4) -> str:
    """Return a paired difference ± its corrected standard error."""
    return f"{cell['mean']:+.{digits}f} ± {cell['error']:.{digits}f}"
