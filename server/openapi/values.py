"""What a model takes and says, as JSON Schema."""

from typing import Any

import numpy as np

from server.contract import ALWAYS, Contract, Feature, Output
from server.faults import MAX_ID_LENGTH, MAX_STRING_LENGTH
from server.openapi.subject import EXAMPLE_ID, EXAMPLE_TIME
from server.openapi.vocabulary import Part, schema

# The last number of 64 bits that is no infinity as one of 32.
_LARGEST = float(np.nextafter(2.0**128 - 2.0**103, 0))
FLOAT: Part = {"type": "number", "format": "float"}
TYPES: dict[str, Part] = {
    "float32": FLOAT,
    "int64": {"type": "integer", "format": "int64"},
    "string": {"type": "string"},
}
_TAKEN: dict[str, Part] = {
    "float32": {**FLOAT, "minimum": -_LARGEST, "maximum": _LARGEST},
    "int64": {**TYPES["int64"], "minimum": -(2**63), "maximum": 2**63 - 1},
    "string": {"type": "string", "maxLength": MAX_STRING_LENGTH},
}

TEXT: Part = {"type": "string"}
PREDICTION_ID: Part = {"type": "string", "format": "uuid", "examples": [EXAMPLE_ID]}
TIME: Part = {"type": "string", "format": "date-time", "examples": [EXAMPLE_TIME]}
CALLER_ID: Part = {
    "type": ["string", "null"],
    "maxLength": MAX_ID_LENGTH,
    "description": "The caller's own name for the object, stored and returned.",
}
WARNINGS: Part = {"type": "array", "items": schema("Warning")}


def input_schema(feature: Feature, example: Any) -> Part:
    """Return what a request may give for one feature.

    Only what is refused is forbidden: a value outside the training range is answered, so the range
    is told in words and under ``x-training-range``.
    """
    taken = dict(_TAKEN[feature.type])
    if feature.closed and feature.categories is not None:
        taken = {"type": taken["type"], "enum": list(feature.categories)}
    if feature.nullable:
        taken = or_null(taken)
    return {
        **taken,
        "description": _about(feature),
        "examples": [example],
        **({"x-unit": feature.unit} if feature.unit else {}),
        **({"x-training-range": list(feature.range)} if feature.range else {}),
    }


def _about(feature: Feature) -> str:
    told = [feature.meaning, f"in {feature.unit}" if feature.unit else ""]
    if feature.range is not None:
        told.append("trained on {:g} to {:g}, beyond is warned of".format(*feature.range))
    if feature.domain is not None:
        low, high = ("" if end is None else f"{end:g}" for end in feature.domain)
        told.append(f"meant for {low}..{high}, beyond is novel")
    if feature.categories is not None and not feature.closed:
        told.append("another than the categories of the contract is warned of")
    told.append("may be missing" if feature.nullable else "")
    return "; ".join(text for text in told if text)


def answered(contract: Contract) -> dict[str, Part]:
    """Return what is said of one object, by name."""
    said = {output.name: _said(contract, output) for output in contract.outputs}
    told = {name: each for name, each in said.items() if each}
    if contract.novelty is not None and "novelty" in told:
        told["novelty"] = {"type": "array", "items": schema("NovelValue")}
    for head in contract.explanation.heads:
        name = head.contributions.removesuffix("contributions") + "reasons"
        told[name] = {"type": "array", "items": schema("Reason")}
    return told


def stored(contract: Contract, *, at_length: bool) -> dict[str, Part]:
    """Return what is stored of one object, by name; what was not computed is null."""
    told = {}
    for output in contract.outputs:
        said = _said(contract, output) or (_said_at_length(contract, output) if at_length else None)
        if said:
            told[output.name] = said if output.role in ALWAYS else or_null(said)
    return told


def _said(contract: Contract, output: Output) -> Part | None:
    classes: Part = {"type": "string", "enum": contract.class_names}
    about = {"description": output.meaning}
    match output.role:
        case "label":
            return classes | about
        case "probabilities":
            return exactly(dict.fromkeys(contract.class_names, FLOAT)) | about
        case "value":
            unit = {"x-unit": contract.target.unit} if contract.target.unit else {}
            return FLOAT | about | unit
        case "detail":
            return TYPES[output.type] | ({"enum": output.values} if output.values else {}) | about
        case "prediction_set":
            return {"type": "array", "items": classes, "uniqueItems": True} | about
        case "interval":
            return exactly({"low": FLOAT, "high": FLOAT}) | about
        case "novelty" if contract.novelty is not None:
            names = sorted({column.name for column in contract.novelty.columns})
            return {"type": "array", "items": {"type": "string", "enum": names}} | about
    return None


def _said_at_length(contract: Contract, output: Output) -> Part:
    about = {"description": output.meaning}
    columns = contract.explanation.columns
    # Where there is one score, of a regression or of two classes, it is the number itself.
    by_class = exactly(dict.fromkeys(columns, FLOAT)) if len(columns) > 1 else FLOAT
    match output.role:
        case "contributions":
            return {"type": "object", "additionalProperties": by_class} | about
        case "base_values":
            return by_class | about
    return {"type": "object", "additionalProperties": or_null(FLOAT)} | about


def exactly(properties: dict[str, Part], *, optional: Any = ()) -> Part:
    """Return the schema of an object that has these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def or_null(given: Part) -> Part:
    """Return the schema of the same, or of nothing."""
    kinds = given["type"] if isinstance(given["type"], list) else [given["type"]]
    nullable = {**given, "type": [*kinds, "null"]}
    return nullable | ({"enum": [*given["enum"], None]} if "enum" in given else {})
