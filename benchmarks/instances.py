"""Make instances that a model could really be asked about, from nothing but its contract."""

from random import Random
from typing import Any

Instance = dict[str, Any]

# How far a number strays from the golden row it starts from, as a share of its training range:
# rows differ, and stay in the part of the input space where the golden rows lie.
_SPREAD = 0.05
# Digits of a number: as many as surveys and sensors give, and within what float32 holds.
_DIGITS = 6
# How often a category is another one than in the golden row.
_OTHER_CATEGORY = 0.3


class InstanceMaker:
    """Makes instances in the likeness of the golden rows of one contract.

    Parameters
    ----------
    contract : dict
        As ``GET /model`` answers it.
    random : random.Random
        Where the chance comes from.
    """

    def __init__(self, contract: dict[str, Any], random: Random) -> None:
        columns = contract["golden"]["inputs"]
        rows = zip(*columns.values(), strict=True)
        self._golden = [dict(zip(columns, row, strict=True)) for row in rows]
        self._features = contract["features"]
        self._random = random
        self._made = 0

    def make(self, *, missing_share: float) -> Instance:
        """Return one instance with an `id`; each nullable input is missing with this chance."""
        golden = self._random.choice(self._golden)
        instance: Instance = {}
        for feature in self._features:
            value = self._value(feature, golden[feature["name"]])
            if feature["nullable"] and self._random.random() < missing_share:
                value = None
            # A missing value may be left out or sent as null; both are the same to the server.
            if value is not None or self._random.random() < 0.5:
                instance[feature["name"]] = value
        self._made += 1
        instance["id"] = f"row-{self._made}"
        return instance

    def _value(self, feature: dict[str, Any], golden: Any) -> Any:
        categories = feature["categories"]
        if categories and self._random.random() < _OTHER_CATEGORY:
            return self._random.choice(categories)
        if feature["range"] is None or golden is None:
            return golden
        low, high = feature["range"]
        strayed = self._random.gauss(golden, _SPREAD * (high - low))
        return _rounded(feature["type"], min(max(strayed, low), high))


def _rounded(kind: str, value: float) -> float | int:
    return round(value) if kind == "int64" else float(f"{value:.{_DIGITS}g}")
