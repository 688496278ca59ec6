"""The ids of the rows of one request: they count up, and few are looked at one by one."""

from collections.abc import Iterator, Sequence
from typing import Any, overload
from uuid import UUID

import numpy as np

_HALF = 1 << 64


class PredictionIds(Sequence[UUID]):
    """UUIDs from `first` on, without an object for each before it is asked for.

    `places` are those that are meant, counted from `first`; unless given, the first `n_rows`.
    """

    def __init__(self, first: int, n_rows: int, places: Sequence[int] | None = None) -> None:
        self._first = first
        self._places = range(n_rows) if places is None else places

    def at(self, places: Sequence[int]) -> "PredictionIds":
        """Return some of them."""
        return PredictionIds(self._first, len(places), [self._places[place] for place in places])

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[UUID]:
        return (UUID(int=self._first + place) for place in self._places)

    @overload
    def __getitem__(self, place: int) -> UUID: ...
    @overload
    def __getitem__(self, place: slice) -> list[UUID]: ...
    def __getitem__(self, place: int | slice) -> UUID | list[UUID]:
        if isinstance(place, slice):
            return [UUID(int=self._first + each) for each in self._places[place]]
        return UUID(int=self._first + self._places[place])

    def texts(self) -> Iterator[str]:
        """Return the ids as they are written."""
        digits = (f"{self._first + place:032x}" for place in self._places)
        return (f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}" for d in digits)

    def halves(self) -> tuple[Any, Any]:
        """Return the upper and the lower 64 bits, two ndarrays of uint64."""
        high, low = divmod(self._first, _HALF)
        lower = np.uint64(low) + np.array(self._places, dtype=np.uint64)
        # Where the lower half runs over, it begins again below the first.
        return np.uint64(high) + (lower < np.uint64(low)).astype(np.uint64), lower
