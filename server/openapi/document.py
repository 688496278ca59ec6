"""The OpenAPI document: the paths of every surface, and what they refer to."""

from collections.abc import Sequence

from server.config import Settings
from server.model import Model
from server.openapi import (
    browsing,
    inferring,
    judging,
    keeping,
    looking,
    predicting,
    querying,
    seeing,
    switching,
)
from server.openapi.filters import filters
from server.openapi.headers import HEADERS, PARAMETERS
from server.openapi.schemas import to_schemas
from server.openapi.subject import to_subject
from server.openapi.vocabulary import Part, problem_answers

# A surface is a module with paths(subject); a new one stands here, and nowhere else.
SURFACES = (predicting, browsing, judging, querying, keeping, inferring, switching, seeing, looking)
_TAGS = {
    "Predictions": "Predict, and look at what was predicted.",
    "Labels": "What turned out to be true, and how the predictions did.",
    "Monitor": "What changed, and whether it matters.",
    "Keeping": "The log, for years.",
    "Model": "What is served, and to switch it.",
    "SQL": "The log answers SQL.",
    "Open Inference Protocol": "The same predictions for clients of V2, as KServe names it.",
    "Health": "For whoever keeps the server running.",
    "Pages": "For people.",
}


def to_document(model: Model, others: Sequence[Model], settings: Settings) -> Part:
    """Describe the interface that serves `model` with these settings, in OpenAPI 3.1.

    `others` answer some of the callers.
    """
    subject = to_subject(model, others, settings)
    contract = subject.contract
    paths: Part = {}
    for surface in SURFACES:
        for path, operations in surface.paths(subject).items():
            paths.setdefault(path, {}).update(operations)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": f"Sextant serving {contract.model_name}",
            "version": contract.model_version,
            **({"description": contract.description} if contract.description else {}),
        },
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": to_schemas(subject),
            "responses": problem_answers(),
            "headers": HEADERS,
            "parameters": {**filters(subject), **PARAMETERS},
        },
    }
