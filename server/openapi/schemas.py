"""The schemas of the document, each under the name of what it is."""

import msgspec

from server.contract import Contract
from server.labels.payload import Label
from server.openapi.log_schemas import log_schemas
from server.openapi.subject import Subject
from server.openapi.v2_schemas import v2_schemas
from server.openapi.values import (
    CALLER_ID,
    FLOAT,
    PREDICTION_ID,
    TEXT,
    TIME,
    WARNINGS,
    answered,
    exactly,
    input_schema,
    or_null,
)
from server.openapi.vocabulary import Part, choice, schema


def to_schemas(subject: Subject) -> dict[str, Part]:
    """Return the component schemas."""
    _, contract_parts = msgspec.json.schema_components(
        [Contract, Label], ref_template="#/components/schemas/{name}"
    )
    return {
        **_asked(subject),
        **_answers(subject),
        **log_schemas(subject),
        **_others(),
        **v2_schemas(subject),
        **contract_parts,
    }


def _asked(subject: Subject) -> dict[str, Part]:
    features = subject.contract.features
    taken = {f.name: input_schema(f, subject.instance[f.name]) for f in features}
    may_lack = ["id", *(feature.name for feature in features if feature.nullable)]
    several = {
        "type": "array",
        "items": schema("Instance"),
        "minItems": 1,
        "maxItems": subject.settings.max_instances,
    }
    return {
        "Instance": {
            "description": "One object: the model's features.",
            **exactly({**taken, "id": CALLER_ID}, optional=may_lack),
        },
        "Instances": {"description": "Several objects.", **several},
        "WrappedInstances": {
            "description": "Several objects, as other servers take them.",
            **exactly({"instances": schema("Instances")}),
        },
    }


def _answers(subject: Subject) -> dict[str, Part]:
    said = answered(subject.contract)
    prediction = {"prediction_id": PREDICTION_ID, "id": CALLER_ID, **said, "warnings": WARNINGS}
    shared = {"model": schema("ServedModel"), "predicted_at": TIME}
    # Sets, novelty and reasons are there where they were computed and asked for.
    always = ("prediction_id", "warnings", *subject.contract.output_names)
    optional = [name for name in prediction if name not in always]
    several = {"type": "array", "items": schema("Prediction"), "minItems": 1}
    return {
        "ServedModel": exactly(dict.fromkeys(subject.model, TEXT)) | {"examples": [subject.model]},
        "LoggedModel": {
            "description": "The sha256 is null in rows of a log begun by an earlier version.",
            **exactly(dict.fromkeys(subject.model, TEXT) | {"sha256": or_null(TEXT)}),
        },
        "Prediction": {
            "description": "What was said of one object of a list.",
            **exactly(
                {**prediction, "model": schema("ServedModel")}, optional=[*optional, "model"]
            ),
        },
        "Answer": {
            "description": "The answer to one object.",
            **exactly({**shared, **prediction}, optional=optional),
        },
        "Answers": {
            "description": "The answer to a list, in its order. Where several models answered, "
            "each prediction names its own.",
            **exactly({**shared, "predictions": several}, optional=["model"]),
        },
        "NovelValue": {
            "description": "A value outside what the model was trained on or is meant for, null "
            "where it is beyond float32; an open side is null.",
            **exactly(
                {
                    "feature": TEXT,
                    "value": or_null(FLOAT),
                    "low": or_null(FLOAT),
                    "high": or_null(FLOAT),
                    "detail": TEXT,
                }
            ),
        },
        "Reason": {
            "description": "How far a derived feature moves the raw score of the predicted class, "
            "or the value.",
            **exactly(
                {"feature": TEXT, "value": or_null(FLOAT), "contribution": FLOAT, "detail": TEXT}
            ),
        },
        "Warning": {
            "description": "A value that is answered, though the model was not trained on its "
            "like.",
            **exactly({"feature": TEXT, "detail": TEXT}),
        },
    }


def _others() -> dict[str, Part]:
    fault = exactly({"pointer": {"type": "string", "format": "json-pointer"}, "detail": TEXT})
    column = exactly({"name": TEXT, "type": TEXT})
    place: Part = {"type": "integer", "minimum": 0}
    problem = {
        "type": TEXT | {"format": "uri-reference"},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "errors": {"type": "array", "items": schema("Fault"), "maxItems": 100},
        "position": place,
        "line": place,
        "column": place,
    }
    return {
        "Problem": {
            "description": "An error (RFC 9457).",
            **exactly(problem, optional=("errors", "position", "line", "column")),
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "nothing is here; GET / links to what there is",
                }
            ],
        },
        "Fault": {"description": "What is wrong with a body, by JSON pointer.", **fault},
        "Health": exactly({"status": choice("live", "ready")}),
        "Rows": {
            "description": "The rows of a query; `truncated` says that there are more.",
            **exactly(
                {
                    "columns": {"type": "array", "items": column},
                    "rows": {"type": "array", "items": {"type": "array"}},
                    "truncated": {"type": "boolean"},
                    "elapsed_ms": {"type": "number"},
                }
            ),
        },
    }
