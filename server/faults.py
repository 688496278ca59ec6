"""Read a body value by value and name every fault with its place, for whoever has to mend it."""

import json
import math
from collections.abc import Callable, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any, NamedTuple

from server.contract import Feature

MAX_ID_LENGTH = 256
# Categories are words; what is longer is a document, and would be logged and shown every time.
MAX_STRING_LENGTH = 4_096
# Faults told of one body: enough to mend a client, not a second body.
MAX_FAULTS = 100


class Fault(NamedTuple):
    """One thing wrong with a body: where, as a JSON pointer (RFC 6901), and what."""

    pointer: str
    detail: str


class InvalidPayload(Exception):
    """A body without usable instances: 400 where it is not JSON, 422 where values are wrong."""

    def __init__(self, status: HTTPStatus, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = list(faults)


def find_instances(
    body: bytes, features: Sequence[Feature], max_instances: int
) -> tuple[list[dict[str, Any]], bool, str]:
    """Return the objects of `body`, whether it is a single one, and the pointer to where they are.

    Raises
    ------
    InvalidPayload
        With every fault, up to a hundred of them, and the place of each.
    """

    def find(instance: Any, place: str) -> list[Fault]:
        return _faults_of_instance(instance, place, features)

    return find_objects(body, "instances", max_instances, find)


def find_objects(
    body: bytes, key: str, most: int, find: Callable[[Any, str], list[Fault]]
) -> tuple[list[dict[str, Any]], bool, str]:
    """Return the objects of `body`, one, a list or a list under `key`, as find_instances does.

    `find` returns the faults of one object; it is given the object and its place.
    """
    content = load_json(body)
    faults: list[Fault] = []
    root, is_single = "", False
    if isinstance(content, dict) and key in content:
        root = f"/{key}"
        strangers = [each for each in content if each != key]
        faults = [Fault(pointer(each), f"unknown field beside {key}") for each in strangers]
        content = content[key]
    elif isinstance(content, dict):
        content, is_single = [content], True
    if not isinstance(content, list):
        wanted = "a list of objects" if root else "an object or a list of objects"
        raise unprocessable([*faults, Fault(root, expected(wanted, content))])
    if not content:
        raise unprocessable([*faults, Fault(root, "the list is empty: send at least one object")])
    if len(content) > most:
        detail = f"{len(content)} objects: send at most {most} at a time"
        raise unprocessable([*faults, Fault(root, detail)])
    for number, each in enumerate(content):
        faults += find(each, "" if is_single else f"{root}/{number}")
        if len(faults) > MAX_FAULTS:
            break
    if faults:
        raise unprocessable(faults)
    return content, is_single, root


class NotANumber(str):
    """NaN, Infinity or -Infinity, which Python's reader takes and JSON does not know."""


def load_json(body: bytes) -> Any:
    """Read JSON, and NotANumber where it is none; InvalidPayload if it is no JSON at all."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=NotANumber, parse_int=_to_int)
    except UnicodeDecodeError as error:
        detail = f"the body is not UTF-8: {error}"
    except RecursionError:
        detail = "the body is nested too deeply"
    except ValueError as error:
        detail = f"the body is not JSON: {error}"
    raise InvalidPayload(HTTPStatus.BAD_REQUEST, detail)


def _to_int(digits: str) -> int:
    # Python refuses more than 4,300 digits; 400 are beyond every type of ours as well.
    return int(digits[:400])


def _faults_of_instance(instance: Any, place: str, features: Sequence[Feature]) -> list[Fault]:
    if not isinstance(instance, dict):
        return [Fault(place, expected("an object", instance))]
    names = [feature.name for feature in features]
    unknown = f"unknown field: the model takes {', '.join(names)}"
    strangers = (key for key in instance if key not in names and key != "id")
    faults = [Fault(place + pointer(key), unknown) for key in islice(strangers, MAX_FAULTS + 1)]
    for feature in features:
        if feature.name in instance:
            detail = fault_of_value(feature, instance[feature.name])
        else:
            detail = None if feature.nullable else "missing"
        if detail:
            faults.append(Fault(place + pointer(feature.name), detail))
    if detail := fault_of_id(instance.get("id")):
        faults.append(Fault(f"{place}/id", detail))
    return faults


def fault_of_value(feature: Feature, value: Any) -> str | None:
    """Return what is wrong with `value` for `feature`, or None."""
    if value is None:
        return None if feature.nullable else "null: this feature may not be missing"
    if isinstance(value, NotANumber):
        mend = ": leave it out or send null" if feature.nullable else ""
        return f"{value} is not a finite number{mend}"
    if feature.type == "string":
        return fault_of_text(value, MAX_STRING_LENGTH) or _fault_of_category(feature, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return expected("a number", value)
    if feature.type == "float32":
        return None if _fits_float32(feature, value) else "beyond float32, which ends at 3.4e38"
    if not isinstance(value, int):
        return f"{value:g} is not written as a whole number"
    if not -(2**63) <= value < 2**63:
        return "beyond a 64-bit integer"
    return _fault_of_category(feature, value)


def _fits_float32(feature: Feature, value: float) -> bool:
    try:
        return math.isfinite(feature.to_array([value])[0])
    except OverflowError:  # a whole number of more than 308 digits
        return False


def _fault_of_category(feature: Feature, value: str | int) -> str | None:
    if not feature.closed or value in (feature.categories or ()):
        return None
    return f"{shown(value)} is none of {', '.join(map(shown, feature.categories or ()))}"


def fault_of_id(value: Any) -> str | None:
    """Return what is wrong with a caller's id, which may be missing."""
    return None if value is None else fault_of_text(value, MAX_ID_LENGTH)


def fault_of_text(value: Any, max_length: int) -> str | None:
    """Return what is wrong with a text, or None."""
    if not isinstance(value, str) or isinstance(value, NotANumber):
        return expected("a string", value)
    if len(value) > max_length:
        return f"{len(value)} characters: at most {max_length} are taken"
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "not valid Unicode: half of a surrogate pair"
    return None


def pointer(key: str) -> str:
    """Return a key as a JSON pointer has it, slash and all."""
    escaped = key.replace("~", "~0").replace("/", "~1")
    return "/" + escaped.encode(errors="replace").decode()


def expected(wanted: str, value: Any) -> str:
    """Say what should be there, and what is."""
    words = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    words |= {type(None): "null", NotANumber: value}
    found = words.get(type(value), "a number")
    return f"expected {wanted}, got {found}"


def shown(value: Any) -> str:
    """Return `value` as JSON, cut short if it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def unprocessable(faults: Sequence[Fault]) -> InvalidPayload:
    """Return the error for faults in a body; it tells a hundred of them at most."""
    told = faults[:MAX_FAULTS]
    count = f"{len(told)} fault{'s' if len(told) > 1 else ''}"
    detail = f"{count} in the body" if told == faults else f"the first {count} in the body"
    return InvalidPayload(HTTPStatus.UNPROCESSABLE_ENTITY, detail, told)
