"""The schemas of what is stored."""

from typing import Any

from server.openapi.subject import Subject
from server.openapi.values import (
    CALLER_ID,
    FLOAT,
    PREDICTION_ID,
    TEXT,
    TIME,
    TYPES,
    WARNINGS,
    exactly,
    or_null,
    stored,
)
from server.openapi.vocabulary import Part, schema


def log_schemas(subject: Subject) -> dict[str, Part]:
    """Return the schemas of rows of the log, and of a page of them."""
    contract = subject.contract
    inputs = {f.name: or_null(TYPES[f.type]) for f in contract.features}
    fixed = {
        "prediction_id": PREDICTION_ID,
        "predicted_at": TIME,
        "request_id": TEXT,
        "instance": {
            "type": "integer",
            "minimum": 0,
            "description": "The place in the request.",
        },
        "id": CALLER_ID,
        "warnings": WARNINGS,
        "inference_ms": {**FLOAT, "description": "Of all rows of the request together."},
        "model": schema("LoggedModel"),
    }
    own = {**fixed, "inputs": exactly(inputs)}
    any_inputs: dict[str, Any] = {**fixed, "inputs": {"type": "object"}}
    described = {
        "StoredPrediction": ("A row of the log.", exactly(own | stored(contract, at_length=False))),
        "WholePrediction": (
            "A row of the log with all that was computed for it.",
            exactly(own | stored(contract, at_length=True)),
        ),
        "OtherPrediction": (
            "A row that another model left in the log, with the inputs and outputs of its own.",
            exactly(any_inputs) | {"additionalProperties": True},
        ),
    }
    listed = {"anyOf": [schema("StoredPrediction"), schema("OtherPrediction")]}
    return {name: {"description": text, **each} for name, (text, each) in described.items()} | {
        "PredictionsPage": {
            "description": "Predictions that fit, and where the next page is.",
            **exactly(
                {
                    "predictions": {"type": "array", "items": listed},
                    "next": {"type": ["string", "null"], "format": "uri-reference"},
                }
            ),
        }
    }
