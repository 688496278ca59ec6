"""The paths of what turned out to be true, and of the monitor."""

from server.openapi.predicting import FORMAT, data_or_page
from server.openapi.subject import Subject
from server.openapi.vocabulary import (
    FORMS,
    HTML,
    JSON,
    Part,
    Paths,
    answer,
    body,
    operation,
    page,
    query,
    ref,
    schema,
)

TEXT: Part = {"type": "string"}
# The same that the log takes.
WINDOW = [ref("parameters", f"filter-{name}") for name in ("last", "from", "to")]
_MODEL = query("model", "The model; the served one unless told.", TEXT)
_VERSION = query("version", "Its version; as served unless told.", TEXT)
ID_IN_PATH: Part = {
    "name": "prediction_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}


def paths(subject: Subject) -> Paths:
    """Return the paths."""
    return {
        "/labels": {
            "get": operation(
                "show_labels",
                "Labels",
                "How the predictions did whose truth is known",
                {200: data_or_page("Figures, live beside the holdout.", {"type": "object"})},
                (503,),
                parameters=[*WINDOW, _MODEL, _VERSION, FORMAT],
            ),
            "post": operation(
                "give_labels",
                "Labels",
                "Say what turned out to be true; 200 means stored",
                {200: _stored()},
                (415, 422, 503),
                body=_labels(subject),
            ),
        },
        "/predictions/{prediction_id}": {
            "post": operation(
                "give_label_from_page",
                "Labels",
                "Give the label that was typed on the page of a prediction",
                {303: _back(), 422: page("What is wrong with what was typed.")},
                (404, 503),
                parameters=[ID_IN_PATH],
                body=body("The fields as typed.", {kind: {"schema": _form()} for kind in FORMS}),
            )
        },
        "/monitor": {
            "get": operation(
                "show_monitor",
                "Monitor",
                "What was asked and answered in a window, and what of it is an alarm",
                {
                    200: data_or_page("Alarms, checks and figures.", {"type": "object"}),
                    302: _back(),
                    400: _wrong_window(),
                },
                (503,),
                parameters=[*WINDOW, _VERSION, FORMAT],
            )
        },
    }


def _labels(subject: Subject) -> Part:
    several = {"type": "array", "items": schema("Label"), "minItems": 1}
    several["maxItems"] = subject.settings.max_instances
    wrapped = {"type": "object", "required": ["labels"], "properties": {"labels": several}}
    names = subject.contract.class_names
    one: Part = {"id": "mine", **({"label": names[0]} if names else {"value": 1.5})}
    content: dict[str, Part] = {
        JSON: {
            "schema": {"anyOf": [schema("Label"), several, wrapped]},
            "examples": {"one": {"value": one}, "several": {"value": [one]}},
        },
        "text/csv": {"schema": TEXT},
    }
    return body("Of each, `prediction_id` or `id`, and `label` or `value`.", content)


def _stored() -> Part:
    told = {"type": "object", "required": ["received_at", "unmatched"]}
    return answer("How many predictions each label meets now.", {JSON: {"schema": told}})


def _back() -> Part:
    description = "To the page that shows it."
    return {"description": description, "headers": {"Location": ref("headers", "Location")}}


def _wrong_window() -> Part:
    problem = {"application/problem+json": {"schema": schema("Problem")}, HTML: {"schema": TEXT}}
    return answer("A parameter is wrong; a page says so as a page.", problem)


def _form() -> Part:
    names = ("label", "value", "given_by", "observed_at")
    return {"type": "object", "properties": dict.fromkeys(names, TEXT)}
