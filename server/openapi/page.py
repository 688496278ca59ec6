"""Read the document as the page shows it: operations by surface, and what is in each schema."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from server.openapi.vocabulary import Part

# Words of one enum on the page; the document has them all.
_MAX_CHOICES = 12
_BOUNDS = {
    "minimum": "at least {:g}",
    "maximum": "at most {:g}",
    "minItems": "at least {:g}",
    "maxItems": "at most {:g}",
    "maxLength": "at most {:g} characters",
}


class Piece(NamedTuple):
    """A few words of what a value is; with the name of a schema, where these lead."""

    text: str
    schema: str = ""


class Row(NamedTuple):
    """One parameter, field or header."""

    name: str
    place: str
    kind: list[Piece]
    is_required: bool
    description: str


class Content(NamedTuple):
    """A body in one media type."""

    media_type: str
    kind: list[Piece]
    example: str


class Answered(NamedTuple):
    """What one status means."""

    status: str
    description: str
    contents: list[Content]
    headers: list[Row]


class Operation(NamedTuple):
    """One method of one path."""

    name: str
    method: str
    path: str
    summary: str
    parameters: list[Row]
    body: list[Content]
    answers: list[Answered]


class Shape(NamedTuple):
    """One schema: its fields, or what it is where it has none."""

    name: str
    description: str
    kind: list[Piece]
    rows: list[Row]


@dataclass(frozen=True)
class Page:
    """All that the page shows."""

    info: Part
    surfaces: list[tuple[Part, list[Operation]]]
    shapes: list[Shape]


def to_page(document: Part) -> Page:
    """Return the page of the document."""
    operations = [
        (told["tags"][0], _operation(document, path, method, told))
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]
    return Page(
        document["info"],
        [
            (tag, [each for name, each in operations if name == tag["name"]])
            for tag in document["tags"]
        ],
        [_shape(name, told) for name, told in document["components"]["schemas"].items()],
    )


def _operation(document: Part, path: str, method: str, told: Part) -> Operation:
    asked = [_found(document, each) for each in told["parameters"]]
    return Operation(
        told["operationId"],
        method.upper(),
        path,
        told["summary"],
        [_row(each["name"], each["in"], each, each.get("required", False)) for each in asked],
        _contents(told.get("requestBody", {})),
        [
            _answered(document, status, _found(document, each))
            for status, each in told["responses"].items()
        ],
    )


def _answered(document: Part, status: str, told: Part) -> Answered:
    headers = {name: _found(document, each) for name, each in told.get("headers", {}).items()}
    rows = [_row(name, "header", each, False) for name, each in headers.items()]
    return Answered(status, told["description"], _contents(told), rows)


def _contents(told: Part) -> list[Content]:
    found = []
    for media_type, content in told.get("content", {}).items():
        examples = [each["value"] for each in content.get("examples", {}).values()]
        examples += [content["example"]] if "example" in content else []
        example = json.dumps(examples[0], indent=2, ensure_ascii=False) if examples else ""
        kind = kind_of(content["schema"]) if "schema" in content else [Piece("bytes")]
        found.append(Content(media_type, kind, example))
    return found


def _row(name: str, place: str, told: Part, is_required: bool) -> Row:
    return Row(name, place, kind_of(told["schema"]), is_required, told.get("description", ""))


def _shape(name: str, told: Part) -> Shape:
    required = told.get("required", [])
    rows = [
        Row(field, "", kind_of(each), field in required, each.get("description", ""))
        for field, each in told.get("properties", {}).items()
    ]
    return Shape(name, told.get("description", ""), [] if rows else kind_of(told), rows)


def kind_of(told: Part) -> list[Piece]:
    """Say what a value of this schema is."""
    if "$ref" in told:
        name = told["$ref"].rpartition("/")[2]
        return [Piece(name, name)]
    if several := told.get("anyOf") or told.get("oneOf"):
        pieces: list[Piece] = []
        for each in several:
            pieces += [Piece(" or "), *kind_of(each)] if pieces else kind_of(each)
        return pieces
    if "enum" in told:
        return [Piece(_choices(told["enum"]))]
    kinds = told.get("type", "anything")
    text = " or ".join(kinds) if isinstance(kinds, list) else kinds
    if "format" in told:
        text = f"{text} ({told['format']})"  # which says how large a number may be
    elif bounds := [word.format(told[key]) for key, word in _BOUNDS.items() if key in told]:
        text = ", ".join([text, *bounds])
    if told.get("items"):
        return [Piece(f"{text} of "), *kind_of(told["items"])]
    return [Piece(text)]


def _choices(choices: list[Any]) -> str:
    told = [json.dumps(each, ensure_ascii=False) for each in choices[:_MAX_CHOICES]]
    more = len(choices) - _MAX_CHOICES
    return " | ".join([*told, *([f"{more} more"] if more > 0 else [])])


def _found(document: Part, told: Part) -> Part:
    """Return what a reference leads to, or what is no reference."""
    if "$ref" not in told:
        return told
    kind, name = told["$ref"].split("/")[2:]
    found: Part = document["components"][kind][name]
    return found
