"""The paths of predicting: predict, know the model, ask whether the server is well."""

from server.openapi.subject import Subject
from server.openapi.vocabulary import (
    HTML,
    JSON,
    Part,
    Paths,
    answer,
    body,
    choice,
    operation,
    query,
    schema,
)

FORMAT = query(
    "format", "Page or data, whatever `Accept` says.", choice("json", "html"), allowEmptyValue=True
)
_EXPLAIN = query(
    "explain",
    "`true` answers a list with reasons, as one object is; `false` computes no sets, novelty or "
    "reasons.",
    {"type": "boolean"},
)
# The tables that are taken and answered; bytes that are no text have no schema in OpenAPI 3.1.
TABLES: dict[str, Part] = {
    "text/csv": {"schema": {"type": "string"}},
    "application/x-ndjson": {"schema": {"type": "string"}},
    "application/vnd.apache.parquet": {},
}
# A string of RFC 8941, or the bare word that most clients send.
_KEYS = r'^("([ !#-\[\]-~]|\\["\\])+"|[!#-+\--:<-\[\]-~]+)$'
_KEY: Part = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The request's own name, new for each: however often it is sent, it is stored "
    "once, and has the answer of the first time.",
    "schema": {"type": "string", "pattern": _KEYS, "maxLength": 255},
    "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
}


def paths(subject: Subject) -> Paths:
    """Return the paths."""
    return {
        "/predict": {
            "post": operation(
                "predict",
                "Predictions",
                "Predict one object or a list; 200 means stored",
                {200: _answer(subject)},
                (406, 409, 415, 422, 503),
                parameters=[_EXPLAIN, _KEY],
                body=_body(subject),
            )
        },
        "/model": {
            "get": operation(
                "show_model",
                "Model",
                "The contract of the model that is served",
                {200: data_or_page("The contract.", schema("Contract"))},
                parameters=[FORMAT],
            )
        },
        "/health/live": {
            "get": operation(
                "live", "Health", "Whether the process answers", {200: _health("It does.")}
            )
        },
        "/health/ready": {
            "get": operation(
                "ready",
                "Health",
                "Whether a prediction would be answered and stored now",
                {200: _health("It would.")},
                (503,),
            )
        },
    }


def data_or_page(description: str, content: Part, links: Part | None = None) -> Part:
    """Return the answer that is JSON for programs and a page for people."""
    both = {JSON: {"schema": content}, HTML: {"schema": {"type": "string"}}}
    return answer(description, both, links=links)


def prediction_link(place: str) -> Part:
    """Return the link to the prediction whose id stands in the answer at `place`."""
    return {
        "operationId": "show_prediction",
        "parameters": {"prediction_id": f"$response.body#{place}"},
        "description": "The prediction with all that was computed for it.",
    }


def _answer(subject: Subject) -> Part:
    several = {"model": subject.model, "predicted_at": subject.answer["predicted_at"]}
    several["predictions"] = [subject.prediction]
    content = {
        "schema": {"anyOf": [schema("Answer"), schema("Answers")]},
        "examples": {"one": {"value": subject.answer}, "several": {"value": several}},
    }
    return answer(
        "The answer to one object, which `Location` names, or to a list; in the type of the body, "
        "unless `Accept` asks for another.",
        {JSON: content, **TABLES},
        headers=["Location", "Server-Timing", "Idempotent-Replayed"],
        links={
            "stored": prediction_link("/prediction_id"),
            "first_stored": prediction_link("/predictions/0/prediction_id"),
        },
    )


def _body(subject: Subject) -> Part:
    shapes = [schema(name) for name in ("Instance", "Instances", "WrappedInstances")]
    one = subject.instance
    content = {
        "schema": {"anyOf": shapes},
        "examples": {
            "one": {"value": one},
            "several": {"value": [one, {**one, "id": "mine"}]},
            "wrapped": {"value": {"instances": [one]}},
        },
    }
    told = "One object, or a list of them; or a table, a column a feature and `id`."
    return body(told, {JSON: content, **TABLES})


def _health(description: str) -> Part:
    return answer(description, {JSON: {"schema": schema("Health")}})
