"""The pictures of what fits a filter: over time, by label, one field against another, scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from server.browse.addresses import Address
from server.browse.aggregates import (
    Summary,
    count_cells,
    count_over_time,
    count_values,
    find_range,
)
from server.browse.axes import Axis, number_axis, number_text, time_axis, to_time
from server.browse.drawing import Bars, Series, draw_bars
from server.browse.planes import Plane, draw_plane
from server.browse.selection import Selection
from server.contract import Contract
from server.storage.fields import Source

_TIME_BINS, _SCORE_BINS = 80, 50
_CELLS = (60, 40)
_NUMERIC = ("number", "integer")


@dataclass(frozen=True)
class Painter:
    """Draws what fits one selection; what its pictures lead to are narrower selections."""

    cursor: duckdb.DuckDBPyConnection
    selection: Selection
    summary: Summary
    series: Sequence[Series]
    address: Address

    def over_time(self) -> Bars | None:
        """Draw how many predictions were made when."""
        begin, end = self.summary.begin, self.summary.end
        if begin is None or end is None:
            return None
        axis = time_axis(begin, end, _TIME_BINS)
        counts = count_over_time(self.cursor, self.selection, axis)

        def address(number: int) -> str:
            times = (to_time(axis.edge(each)).isoformat() for each in (number, number + 1))
            return self.address.changed(dict(zip(("from", "to"), times, strict=True), last=None))

        def text(number: int) -> str:
            return f"{to_time(axis.edge(number)):%Y-%m-%d %H:%M:%S}"

        return draw_bars(counts, axis, self.series, text, address)

    def scores(self, field: str) -> Bars | None:
        """Draw how a probability or a value is distributed."""
        bounds: tuple[float, float] | None = (0.0, 1.0)
        if field == "value":
            bounds = find_range(self.cursor, self.selection, field, self.summary.total)
        if bounds is None:
            return None
        axis = number_axis(*bounds, _SCORE_BINS)
        counts = count_values(self.cursor, self.selection, field, axis)

        def text(number: int) -> str:
            return f"{number_text(axis.edge(number))} to {number_text(axis.edge(number + 1))}"

        def address(number: int) -> str:
            ends = axis.edge(number), axis.edge(number + 1)
            return self.address.changed({field: _range(*ends)})

        return draw_bars(counts, axis, self.series, text, address)

    def plane(self, fields: tuple[str, str]) -> Plane | None:
        """Draw one field against another."""
        numbers = _where_numeric(self.selection, fields)
        x, y = (self._axis(numbers, *each) for each in zip(fields, _CELLS, strict=True))
        if x is None or y is None:
            return None
        cells = count_cells(self.cursor, numbers, fields, (x, y))
        is_whole = [numbers.sql_type(field) == "BIGINT" for field in fields]

        def address(*ends: tuple[float, float]) -> str:
            ranges = (
                _range(*each, whole=whole) for each, whole in zip(ends, is_whole, strict=True)
            )
            return self.address.changed(dict(zip(fields, ranges, strict=True)))

        return draw_plane(
            cells, fields, (x, y), self.series, total=self.summary.total, address_of=address
        )

    def _axis(self, selection: Selection, field: str, n: int) -> Axis | None:
        bounds = find_range(self.cursor, selection, field, self.summary.total)
        is_whole = selection.sql_type(field) == "BIGINT"
        return None if bounds is None else number_axis(*bounds, n, whole=is_whole)


def numeric_fields(sources: Sequence[Source]) -> list[str]:
    """Return what can be drawn against each other, the inputs first."""
    found = {
        name: None
        for source in sources
        for name, field in source.fields.items()
        if field.kind in _NUMERIC
    }
    return sorted(found, key=lambda name: not name.startswith("in."))


def default_plane(contract: Contract, sources: Sequence[Source]) -> tuple[str, str] | None:
    """Return the first two numeric inputs of the model, or whatever two there are."""
    numbers = [feature for feature in contract.features if feature.type != "string"]
    first = [f"in.{each.name}" for each in sorted(numbers, key=lambda each: each.type != "float32")]
    found = [*dict.fromkeys([*first, *numeric_fields(sources)])]
    return (found[0], found[1]) if len(found) > 1 else None


def _where_numeric(selection: Selection, fields: Sequence[str]) -> Selection:
    """Leave out the tables of other contracts in which one of these fields is a text."""
    sources = [
        source
        for source in selection.sources
        if all(field in source.fields and source.fields[field].kind in _NUMERIC for field in fields)
    ]
    return Selection(sources, selection.filter)


def _range(low: float, high: float, *, whole: bool = False) -> str:
    # A bin of whole numbers ends before the next one begins.
    return f"{int(low)}..{int(high) - 1}" if whole else f"{low:.7g}..{high:.7g}"
