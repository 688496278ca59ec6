"""The ids of the rows of one request: they count up, and few are looked at one by one."""

from collections.abc import Iterator, Sequence
from typing import Any, overload
from uuid import UUID

import numpy as np

_HALF = 1 << 64


class PredictionIds(Sequence[UUID]):
    """UUIDs from `first` on, without an object for each before it is asked for."""

    def __init__(self, first: int, n_rows: int) -> None:
        self._numbers = range(first, first + n_rows)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[UUID]:
        return (UUID(int=number) for number in self._numbers)

    @overload
    def __getitem__(self, place: int) -> UUID: ...
    @overload
    def __getitem__(self, place: slice) -> list[UUID]: ...
    def __getitem__(self, place: int | slice) -> UUID | list[UUID]:
        if isinstance(place, slice):
            return [UUID(int=number) for number in self._numbers[place]]
        return UUID(int=self._numbers[place])

    def texts(self) -> Iterator[str]:
        """Return the ids as they are written."""
        digits = (f"{number:032x}" for number in self._numbers)
        return (f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}" for d in digits)

    def halves(self) -> tuple[Any, Any]:
        """Return the upper and the lower 64 bits, two ndarrays of uint64."""
        high, low = divmod(self._numbers.start, _HALF)
        lower = np.uint64(low) + np.arange(len(self), dtype=np.uint64)
        # Where the lower half runs over, it begins again below the first.
        return np.uint64(high) + (lower < np.uint64(low)).astype(np.uint64), lower
