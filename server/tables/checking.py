"""Say what is wrong with a table, in the shape in which it is said of other bodies."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from server.column_faults import ColumnFault, InvalidColumns
from server.columns import read_columns
from server.contract import Feature
from server.faults import Fault, InvalidPayload, pointer, unprocessable
from server.payload import Instances


def check_names(names: Sequence[str], features: Sequence[Feature]) -> list[ColumnFault]:
    """Return what is wrong with the names of the columns; what is missing is found later."""
    known = [feature.name for feature in features]
    unknown = f"unknown field: the model takes {', '.join(known)}"
    faults = [
        ColumnFault(None, name, "two columns bear this name")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    strangers = [name for name in dict.fromkeys(names) if name not in known and name != "id"]
    return [*faults, *(ColumnFault(None, name, unknown) for name in strangers)]


def check_values(
    given: Mapping[str, Any],
    n_rows: int,
    features: Sequence[Feature],
    faults: Sequence[ColumnFault] = (),
    lines: Sequence[int] = (),
) -> Instances:
    """Return the rows as they are handed on.

    Parameters
    ----------
    given : mapping of str to ndarray
        As `read_columns` takes it.
    faults : sequence of ColumnFault, optional
        What was found before; the values of which they tell are masked.
    lines : sequence of int, optional
        The line of each row, where rows have lines.

    Raises
    ------
    InvalidPayload
        With these faults, and those of the values.
    """
    try:
        columns = read_columns(given, n_rows, features)
    except InvalidColumns as error:
        told = {(fault.row, fault.name) for fault in faults}
        others = [fault for fault in error.faults if (fault.row, fault.name) not in told]
        raise invalid([*faults, *others], lines) from None
    if faults:
        raise invalid(faults, lines)
    return columns.to_instances()


def invalid(faults: Iterable[ColumnFault], lines: Sequence[int] = ()) -> InvalidPayload:
    """Return the error of these faults, those of whole columns first, then row by row."""
    ordered = sorted(faults, key=lambda fault: -1 if fault.row is None else fault.row)
    return unprocessable([_fault(fault, lines) for fault in ordered])


def too_many(n_rows: str, max_instances: int) -> InvalidPayload:
    """Return the error of a table with more rows than one request may have."""
    detail = (
        f"{n_rows} rows: send at most {max_instances} at a time, or give the file to "
        "python -m server score"
    )
    return unprocessable([Fault("", detail)])


def _fault(fault: ColumnFault, lines: Sequence[int]) -> Fault:
    place = "" if fault.row is None else f"/{fault.row}"
    line = "" if fault.row is None or not lines else f"line {lines[fault.row]}: "
    return Fault(place + (pointer(fault.name) if fault.name else ""), line + fault.detail)
