"""The paths of the line-up: who answers, and to change it."""

from server.openapi.subject import Subject
from server.openapi.values import TEXT, exactly, or_null
from server.openapi.vocabulary import HTML, JSON, Part, Paths, answer, body, operation, schema

_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_SHADOW = {"type": "boolean"}
_REFERENCE = {"type": "string", "description": "name/version"}


def paths(_: Subject) -> Paths:
    """Return the paths."""
    lineup = {JSON: {"schema": _lineup()}}
    found: Paths = {
        "/models": {
            "get": operation(
                "models",
                "Model",
                "Who answers, and what else could",
                {200: answer("The line-up.", {**lineup, HTML: {"schema": TEXT}})},
            )
        }
    }
    challenger = exactly(
        {"model": _REFERENCE, "share": or_null(_SHARE), "shadow": _SHADOW},
        optional=["share", "shadow"],
    )
    promoted = exactly({"model": or_null(_REFERENCE)}, optional=["model"])
    for verb, summary, taken in (
        ("promote", "Make a model, or the challenger, the champion", promoted),
        ("challenge", "Give a model a share of the callers, or let it shadow them", challenger),
        ("withdraw", "Have the champion alone answer", exactly({})),
        ("rollback", "Have those answer that did before", exactly({})),
    ):
        found[f"/models/{verb}"] = {
            "post": operation(
                verb,
                "Model",
                summary,
                {200: answer("The line-up from now on.", lineup)},
                (403, 409, 415, 503),
                body=body("What is to be served.", {JSON: {"schema": taken}}),
            )
        }
    return found


def _lineup() -> Part:
    model = schema("ServedModel")
    named = dict.fromkeys(("name", "version", "sha256"), TEXT)
    challenger = exactly({**named, "share": _SHARE, "shadow": _SHADOW})
    before = exactly(
        {
            "champion": _REFERENCE,
            "challenger": or_null(_REFERENCE),
            "share": _SHARE,
            "shadow": _SHADOW,
        }
    )
    return exactly(
        {
            "file": or_null(TEXT),
            "champion": model,
            "challenger": {"anyOf": [challenger, {"type": "null"}]},
            "previous": {"anyOf": [before, {"type": "null"}]},
            "models": {"type": "array", "items": _REFERENCE},
        }
    )
