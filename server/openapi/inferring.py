"""The paths of the Open Inference Protocol; its errors are read as JSON, whatever they are."""

from typing import Any

from server.openapi.subject import Subject
from server.openapi.v2_schemas import example_inputs, example_outputs
from server.openapi.vocabulary import (
    JSON,
    PROBLEMS,
    Part,
    Paths,
    answer,
    body,
    headers_of_problem,
    operation,
    schema,
)

_BYTES = "application/octet-stream"
_LENGTH: Part = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "description": "How many bytes of the body are JSON; the tensors' bytes stand behind them.",
    "schema": {"type": "integer", "minimum": 0},
}
_ENCODING: Part = {
    "name": "Content-Encoding",
    "in": "header",
    "description": "How the body is compressed; another is a 415.",
    "schema": {"type": "string", "enum": ["gzip", "deflate", "identity"]},
}
# What can be asked of a model: the end of its path, and what answers, with which problems.
_OF_MODEL: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "": ("What the model takes and can answer", "V2Model", ()),
    "/ready": ("Whether a row inferred would be answered and stored now", "V2ModelReady", (503,)),
    "/config": ("The contract of the model", "Contract", ()),
    "/stats": ("What the log holds of the model", "V2Statistics", (503,)),
}


def paths(subject: Subject) -> Paths:
    """Return the paths."""
    found: Paths = {
        "/v2": {"get": _get("v2_server", "What this server can do", "V2Server")},
        "/v2/": {"get": _get("v2_server_too", "The same", "V2Server")},
        "/v2/health/live": {"get": _get("v2_live", "Whether the process answers", "V2Live")},
        "/v2/health/ready": {
            "get": _get("v2_ready", "Whether a row would be answered and stored", "V2Ready", (503,))
        },
        "/v2/models": {"get": _get("v2_models", "The models that answer", "V2Models")},
        "/v2/repository/index": {
            "get": _get(
                "v2_index", "The models that answer, each with its version and state", "V2Index"
            ),
            "post": _get("v2_index_posted", "The same, as Triton's clients ask", "V2Index"),
        },
    }
    for base, suffix, parameters in (
        ("/v2/models/{model}", "", [_named("model", [subject.contract.model_name])]),
        (
            "/v2/models/{model}/versions/{version}",
            "_of_version",
            [
                _named("model", [subject.contract.model_name]),
                _named("version", subject.versions),
            ],
        ),
    ):
        for end, (summary, name, problems) in _OF_MODEL.items():
            told = f"v2_model{end.replace('/', '_')}{suffix}"
            found[base + end] = {"get": _get(told, summary, name, (404, *problems), parameters)}
        found[f"{base}/infer"] = {"post": _infer(f"v2_infer{suffix}", subject, parameters)}
    return found


def _named(name: str, known: list[str]) -> Part:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": "Any other is a 404.",
        "schema": {"type": "string", "enum": known},
    }


def _get(
    name: str,
    summary: str,
    content: str,
    problems: tuple[int, ...] = (),
    parameters: list[Part] | None = None,
) -> Part:
    ok = answer(f"{summary}.", {JSON: {"schema": schema(content)}})
    return _as_v2(
        operation(
            name,
            "Open Inference Protocol",
            summary,
            {200: ok},
            problems,
            parameters=parameters or [],
        )
    )


def _infer(name: str, subject: Subject, parameters: list[Part]) -> Part:
    asked: Part = {
        "schema": schema("V2Request"),
        "examples": {"one": {"value": {"inputs": example_inputs(subject)}}},
    }
    said: dict[str, Any] = {
        "model_name": subject.contract.model_name,
        "model_version": subject.contract.model_version,
        "outputs": example_outputs(subject),
    }
    # Bytes behind JSON have a media type and no schema.
    ok = answer(
        "The outputs; as bytes behind JSON where any is asked for so. `Content-Encoding` is gzip "
        "where that is accepted and worth it.",
        {
            JSON: {"schema": schema("V2Answer"), "examples": {"one": {"value": said}}},
            _BYTES: {},
        },
        headers=[_LENGTH["name"], "Server-Timing"],
    )
    return _as_v2(
        operation(
            name,
            "Open Inference Protocol",
            "Infer rows; 200 means stored",
            {200: ok},
            (404, 415, 503),
            parameters=[*parameters, _LENGTH, _ENCODING],
            body=body("The inputs; no Content-Type is asked for.", {JSON: asked, _BYTES: {}}),
        )
    )


def _as_v2(told: Part) -> Part:
    refused = {
        status: answer(
            PROBLEMS[int(status)],
            {JSON: {"schema": schema("V2Problem")}},
            headers=headers_of_problem(int(status)),
        )
        for status in told["responses"]
        if int(status) >= 400
    }
    return {**told, "responses": {**told["responses"], **refused}}
