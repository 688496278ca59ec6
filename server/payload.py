"""Turn the body of a request into named columns, or say everything that is wrong with it."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

import msgspec
import numpy as np

from server.contract import Feature
from server.faults import (
    MAX_ID_LENGTH,
    MAX_STRING_LENGTH,
    Fault,
    InvalidPayload,
    find_instances,
    find_lines,
    unprocessable,
)
from server.warned import Warned, rows_outside, warning

_INSTANCES_FIRST = re.compile(rb'\s*\{\s*"instances"\s*:')


@dataclass(frozen=True)
class Instances:
    """The rows of one request, as columns.

    `values` holds one sequence a feature, as sent, with None for what is missing; `arrays` the
    same as ndarrays of shape (n_rows,) for the model; `ids` and `warnings` one entry a row.
    """

    values: Mapping[str, Sequence[Any]]
    arrays: Mapping[str, Any]
    ids: Sequence[str | None]
    warnings: Sequence[Sequence[Warned]]
    is_single: bool
    # The place of the rows in the body, a JSON pointer.
    root: str

    def __len__(self) -> int:
        return len(self.ids)

    def at(self, places: Sequence[int]) -> Self:
        """Return some of the rows."""
        return replace(
            self,
            values={name: _at(column, places) for name, column in self.values.items()},
            arrays={name: array[places] for name, array in self.arrays.items()},
            ids=_at(self.ids, places),
            warnings=_at(self.warnings, places),
        )

    def warned(self, features: Sequence[Feature]) -> Self:
        """Return the same with the warnings of a model with these features."""
        columns = [self.values[feature.name] for feature in features]
        arrays = [self.arrays[feature.name] for feature in features]
        return replace(self, warnings=_warnings(features, columns, arrays, len(self)))

    def without_answer(self, rows: Sequence[int]) -> InvalidPayload:
        """Return the error of values to which the model has no finite answer."""
        detail = "the model has no finite answer to these values"
        return unprocessable(
            [Fault(self.root if self.is_single else f"{self.root}/{row}", detail) for row in rows]
        )


class PayloadReader:
    """Reads the bodies that the features of one contract ask for."""

    def __init__(self, features: Sequence[Feature], max_instances: int) -> None:
        self.features = features
        self.max_instances = max_instances
        self._usual = _Usual(features) if all(f.type == "float32" for f in features) else None
        row: Any = _row_type(features)
        wrapper: Any = msgspec.defstruct(
            "Body", [("instances", list[row])], forbid_unknown_fields=True
        )
        self._one = msgspec.json.Decoder(row)
        self._list = msgspec.json.Decoder(list[row])
        self._wrapper = msgspec.json.Decoder(wrapper)

    def parse(self, body: bytes) -> Instances:
        """Read one object, a list of objects, or ``{"instances": [...]}``.

        A decoder made from the contract takes what is right, at once. What it does not take is
        read a second time, value by value, to name each fault.

        Raises
        ------
        InvalidPayload
            With every fault and its place.
        """
        is_single, root = False, ""
        try:
            if body.lstrip(b" \t\r\n")[:1] == b"[":
                rows = self._list.decode(body)
            elif _INSTANCES_FIRST.match(body):
                rows, root = self._wrapper.decode(body).instances, "/instances"
            else:
                rows, is_single = [self._one.decode(body)], True
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            rows = None
        if rows and len(rows) <= self.max_instances and (taken := self._take(rows)):
            return self._to_instances(*taken, is_single, root)
        found, is_single, root = find_instances(body, self.features, self.max_instances)
        return self._to_instances(*self._take_found(found), is_single, root)

    def parse_lines(self, lines: Mapping[int, bytes]) -> Instances:
        """Read an object a line, each given under the number of its line.

        Raises
        ------
        InvalidPayload
            With every fault, its line and its place.
        """
        taken = None
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            taken = self._take([self._one.decode(line) for line in lines.values()])
        if taken is None:
            taken = self._take_found(find_lines(lines, self.features))
        return self._to_instances(*taken, False, "")

    def _take(self, rows: Sequence[Any]) -> tuple[Any, Any, Sequence[str | None]] | None:
        """Return columns, arrays and ids of what was decoded, or None if there are faults in it."""
        columns: list[Any]
        *columns, ids = zip(*map(msgspec.structs.astuple, rows), strict=True)
        arrays = self._to_arrays(columns)
        return None if self._refused(arrays) else (columns, arrays, ids)

    def _take_found(self, found: Sequence[dict[str, Any]]) -> tuple[Any, Any, Any]:
        columns = [[_as_sent(f, row.get(f.name)) for row in found] for f in self.features]
        return columns, self._to_arrays(columns), [row.get("id") for row in found]

    def parse_singles(self, bodies: Sequence[bytes]) -> tuple[list[int], Instances | None]:
        """Read bodies of one object each together.

        Returns
        -------
        places : list of int
            Which bodies were read. `parse` says what is wrong with each of the others.
        instances : Instances or None
            Their objects; None if there are none.
        """
        rows = {}
        for place, body in enumerate(bodies):
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                rows[place] = msgspec.structs.astuple(self._one.decode(body))
        while rows:
            columns: list[Any]
            *columns, ids = zip(*rows.values(), strict=True)
            arrays = self._to_arrays(columns)
            refused = self._refused(arrays)
            places = list(rows)
            if not refused:
                return places, self._to_instances(columns, arrays, ids, True, "")
            rows = {place: rows[place] for n, place in enumerate(places) if n not in refused}
        return [], None

    def _refused(self, arrays: Any) -> set[int]:
        if self._usual and self._usual.are(arrays):
            return set()
        return {
            int(row)
            for feature, array in zip(self.features, arrays, strict=True)
            for row in _rows_refused(feature, array)
        }

    def _to_arrays(self, columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
        if self._usual:
            with np.errstate(over="ignore"):  # as Feature.to_array does it, column by column
                table: Any = np.array(columns, np.float64).astype(np.float32)
            return table  # type: ignore[no-any-return]  # an array for each feature
        return [f.to_array(column) for f, column in zip(self.features, columns, strict=True)]

    def _to_instances(
        self, columns: Any, arrays: Any, ids: Sequence[str | None], is_single: bool, root: str
    ) -> Instances:
        names = [feature.name for feature in self.features]
        return Instances(
            values=dict(zip(names, columns, strict=True)),
            arrays=dict(zip(names, arrays, strict=True)),
            ids=ids,
            warnings=(
                [[] for _ in ids]
                if self._usual and self._usual.are(arrays)
                else _warnings(self.features, columns, arrays, len(ids))
            ),
            is_single=is_single,
            root=root,
        )


class _Usual:
    """Tells at once whether all values are finite and like those of training, as most are."""

    def __init__(self, features: Sequence[Feature]) -> None:
        most = float(np.finfo(np.float32).max)
        ranges = [feature.range or (-most, most) for feature in features]
        self._low, self._high = np.array(ranges, np.float32).T[:, :, np.newaxis]

    def are(self, table: Any) -> bool:
        """Look at an ndarray of float32, of shape (n_features, n_rows); a NaN is not looked at."""
        return not ((table < self._low) | (table > self._high)).any()


def _at(column: Sequence[Any], places: Sequence[int]) -> Sequence[Any]:
    if isinstance(column, np.ndarray):
        picked: Sequence[Any] = column[places]
        return picked
    return [column[place] for place in places]


def _warnings(
    features: Sequence[Feature], columns: Sequence[Any], arrays: Sequence[Any], n_rows: int
) -> list[list[Warned]]:
    warnings: list[list[Warned]] = [[] for _ in range(n_rows)]
    for feature, column, array in zip(features, columns, arrays, strict=True):
        for row in rows_outside(feature, array):
            value = column[row]
            sent = value.item() if isinstance(value, np.generic) else value
            warnings[row].append(warning(feature, sent))
    return warnings


def _row_type(features: Sequence[Feature]) -> type[msgspec.Struct]:
    types: dict[str, Any] = {
        "float32": float,
        "int64": Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)],
        "string": Annotated[str, msgspec.Meta(max_length=MAX_STRING_LENGTH)],
    }
    caller_id = Annotated[str, msgspec.Meta(max_length=MAX_ID_LENGTH)]
    fields: list[Any] = []
    # A feature may bear any name, so the attributes are numbered and the names go outside.
    for number, feature in enumerate(features):
        kind = types[feature.type]
        fields.append(
            (f"f{number}", kind | None, None) if feature.nullable else (f"f{number}", kind)
        )
    fields.append(("caller_id", caller_id | None, None))
    names = [feature.name for feature in features] + ["id"]
    return msgspec.defstruct(
        "Instance",
        fields,
        rename=dict(zip((attribute for attribute, *_ in fields), names, strict=True)),
        forbid_unknown_fields=True,
        kw_only=True,
    )


def _as_sent(feature: Feature, value: Any) -> Any:
    # A whole number of 38 digits is a float32, and more than any integer column holds.
    return value if feature.type != "float32" or value is None else float(value)


def _rows_refused(feature: Feature, array: Any) -> Any:
    if feature.closed:
        return rows_outside(feature, array)
    return np.flatnonzero(np.isinf(array)) if feature.type == "float32" else []
