"""Turn a body of labels into columns, or say everything that is wrong with it."""

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec

from server.browse.times import InvalidTime, to_time
from server.faults import (
    MAX_ID_LENGTH,
    MAX_STRING_LENGTH,
    Fault,
    InvalidPayload,
    NotANumber,
    expected,
    fault_of_id,
    fault_of_text,
    find_objects,
    pointer,
    unprocessable,
)

_LABELS_FIRST = re.compile(rb'\s*\{\s*"labels"\s*:')
_NAMES = ("prediction_id", "id", "label", "value", "observed_at", "given_by")
_Name = Annotated[str, msgspec.Meta(max_length=MAX_ID_LENGTH)]


class Label(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is true of one prediction, or of all that bear a caller's id."""

    prediction_id: UUID | None = None
    id: _Name | None = None
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_STRING_LENGTH)] | None = None
    value: float | None = None
    observed_at: str | None = None
    given_by: _Name | None = None


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    labels: list[Label]


@dataclass(frozen=True)
class Labels:
    """The labels of one request; `observed_at` has a time in UTC, or None, for each."""

    given: Sequence[Label]
    observed_at: Sequence[datetime | None]
    is_single: bool


_one, _list = msgspec.json.Decoder(Label), msgspec.json.Decoder(list[Label])
_wrapper = msgspec.json.Decoder(_Body)


def parse(body: bytes, most: int) -> Labels:
    """Read one label, a list of labels, or ``{"labels": [...]}``.

    What is right is taken at once; anything else is read a second time, value by value, to name
    each fault.

    Raises
    ------
    InvalidPayload
        With every fault and its place.
    """
    try:
        is_single = False
        if body.lstrip(b" \t\r\n")[:1] == b"[":
            given = _list.decode(body)
        elif _LABELS_FIRST.match(body):
            given = _wrapper.decode(body).labels
        else:
            given, is_single = [_one.decode(body)], True
        if given and len(given) <= most and all(map(_is_whole, given)):
            return Labels(given, [_time(each.observed_at) for each in given], is_single)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidTime):
        pass
    found, is_single, root = find_objects(body, "labels", most, _find_faults)
    try:
        given = msgspec.convert(found, list[Label])
    except msgspec.ValidationError as error:
        raise unprocessable([Fault(root, str(error))]) from None
    return Labels(given, [_time(each.observed_at) for each in given], is_single)


def csv_to_json(body: bytes) -> bytes:
    """Return a table of labels, its first line their names, as a list of objects.

    An empty cell is what is not given; of what is wrong, a place counts rows from 0 below the
    names.
    """
    try:
        reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        rows = [{name: _cell(name, text) for name, text in row.items() if text} for row in reader]
    except UnicodeDecodeError as error:
        raise InvalidPayload(HTTPStatus.BAD_REQUEST, f"the body is not UTF-8: {error}") from None
    except csv.Error as error:
        raise InvalidPayload(HTTPStatus.BAD_REQUEST, f"the body is not CSV: {error}") from None
    # What stands beyond the last name bears none.
    return msgspec.json.encode([{name or "": cell for name, cell in row.items()} for row in rows])


def _cell(name: str | None, text: Any) -> Any:
    if name != "value":
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _is_whole(label: Label) -> bool:
    names_one = (label.prediction_id is None) != (label.id is None)
    says_one = (label.label is None) != (label.value is None)
    return names_one and says_one and (label.value is None or math.isfinite(label.value))


def _time(text: str | None) -> datetime | None:
    return None if text is None else to_time("observed_at", text)


def _find_faults(label: Any, place: str) -> list[Fault]:
    if not isinstance(label, dict):
        return [Fault(place, expected("an object", label))]
    unknown = f"unknown field: a label has {', '.join(_NAMES)}"
    faults = [Fault(place + pointer(key), unknown) for key in label if key not in _NAMES]
    for name in _NAMES:
        if detail := _FAULTS[name](label.get(name)):
            faults.append(Fault(place + pointer(name), detail))
    for one, other in (("prediction_id", "id"), ("label", "value")):
        number = (label.get(one) is not None) + (label.get(other) is not None)
        if number != 1:
            told = "both are" if number else "neither is"
            faults.append(Fault(place, f"give one of {one} and {other}: {told} there"))
    return faults


def _fault_of_prediction_id(value: Any) -> str | None:
    try:
        msgspec.convert(value, UUID | None)
    except msgspec.ValidationError:
        return "expected the id of a prediction, a UUID"
    return None


def _fault_of_label(value: Any) -> str | None:
    if value == "":
        return "empty: send the name of a class"
    return None if value is None else fault_of_text(value, MAX_STRING_LENGTH)


def _fault_of_value(value: Any) -> str | None:
    if isinstance(value, NotANumber):
        return f"{value} is not a finite number"
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        return expected("a number", value)
    try:
        return None if value is None or math.isfinite(value) else "beyond a 64-bit float"
    except OverflowError:
        return "beyond a 64-bit float"


def _fault_of_observed_at(value: Any) -> str | None:
    if value is None or (detail := fault_of_text(value, MAX_ID_LENGTH)):
        return None if value is None else detail
    try:
        to_time("observed_at", value)
    except InvalidTime as error:
        return error.detail
    return None


_FAULTS = {
    "prediction_id": _fault_of_prediction_id,
    "id": fault_of_id,
    "label": _fault_of_label,
    "value": _fault_of_value,
    "observed_at": _fault_of_observed_at,
    "given_by": fault_of_id,
}
