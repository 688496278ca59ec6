"""The Open Inference Protocol V2 under /v2: health, what the model takes, inference."""

import msgspec
from flask import Blueprint, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import NotFound, ServiceUnavailable
from werkzeug.routing import PathConverter

from server.access.scopes import ANY_KEY, OPEN, needs
from server.content import compress, decompress
from server.contract import Contract
from server.faults import InvalidPayload
from server.routes import predict_and_store
from server.v2 import metadata
from server.v2.asking import read_request
from server.v2.inputs import read_inputs, without_answer
from server.v2.outputs import Written, find_outputs, write
from server.v2.statistics import read_statistics
from server.web import REQUEST_ID, json_response, parts

blueprint = Blueprint("v2", __name__, url_prefix="/v2")

_LENGTH_HEADER = "Inference-Header-Content-Length"


class _Name(PathConverter):
    """A name that may hold slashes, but for the path of inference: that one takes POST alone."""

    regex = "[^/].*?(?<!/infer)"


@blueprint.record_once
def _(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["name"] = _Name


@blueprint.get("")
@blueprint.get("/")
@needs(ANY_KEY)
def server() -> Response:
    """Say what this server is and what it can do beyond the protocol."""
    return json_response(metadata.SERVER)


@blueprint.get("/health/live")
@needs(OPEN)
def live() -> Response:
    """Say that the process answers."""
    return json_response({"live": True})


@blueprint.get("/health/ready")
@needs(OPEN)
def ready() -> Response:
    """Say whether a row inferred would be answered and stored now."""
    _check_ready()
    return json_response({"ready": True, "live": True})


@blueprint.get("/models")
@needs(ANY_KEY)
def models() -> Response:
    """List the one model."""
    return json_response({"models": [parts().model.contract.model_name]})


@blueprint.route("/repository/index", methods=["GET", "POST"])
@needs(ANY_KEY)
def index() -> Response:
    """List the one model with its version and state."""
    contract = parts().model.contract
    entry = {"name": contract.model_name, "version": contract.model_version}
    return json_response([{**entry, "state": "READY", "reason": ""}])


@blueprint.get("/models/<name:model>")
@blueprint.get("/models/<path:model>/versions/<name:version>")
@needs(ANY_KEY)
def model(model: str, version: str | None = None) -> Response:
    """Say what the model takes and answers."""
    return json_response(metadata.of_model(_find(model, version)))


@blueprint.get("/models/<path:model>/ready")
@blueprint.get("/models/<path:model>/versions/<path:version>/ready")
@needs(ANY_KEY)
def model_ready(model: str, version: str | None = None) -> Response:
    """Say whether a row inferred by the model would be answered and stored now."""
    contract = _find(model, version)
    _check_ready()
    return json_response({"name": contract.model_name, "ready": True})


@blueprint.get("/models/<path:model>/config")
@blueprint.get("/models/<path:model>/versions/<path:version>/config")
@needs(ANY_KEY)
def config(model: str, version: str | None = None) -> Response:
    """Show the contract of the model."""
    return json_response(_find(model, version))


@blueprint.get("/models/<path:model>/stats")
@blueprint.get("/models/<path:model>/versions/<path:version>/stats")
@needs("read")
def stats(model: str, version: str | None = None) -> Response:
    """Count what the log holds of the model."""
    contract = _find(model, version)
    with parts().log.reading() as snapshot:
        return json_response({"model_stats": [read_statistics(snapshot, contract)]})


@blueprint.post("/models/<path:model>/infer")
@blueprint.post("/models/<path:model>/versions/<path:version>/infer")
@needs("predict")
def infer(model: str, version: str | None = None) -> Response:
    """Answer the outputs asked for, once all rows are stored."""
    contract = _find(model, version)
    g.record.begin("parse")
    asked, raw = read_request(_body(), request.headers.get(_LENGTH_HEADER))
    wanted, explain = find_outputs(asked, contract)
    columns = read_inputs(asked, raw, contract.features, max_instances=parts().reader.max_instances)
    if "X-Request-ID" not in request.headers and REQUEST_ID.fullmatch(asked.id or ""):
        g.request_id = asked.id
    instances = columns.to_instances()
    try:
        outputs, stored = predict_and_store(instances, explain=explain)
    except InvalidPayload as error:
        raise without_answer(error) from None
    written = write(
        asked,
        contract,
        wanted,
        outputs,
        {
            "prediction_id": lambda: [str(each) for each in stored.prediction_ids],
            "warnings": lambda: [msgspec.json.encode(each).decode() for each in instances.warnings],
        },
    )
    return _answer(written)


def _find(model: str, version: str | None) -> Contract:
    contract = parts().model.contract
    if model != contract.model_name:
        raise NotFound(f"no model {model!r} is here: this server has {contract.model_name!r}")
    if version not in (None, contract.model_version):
        raise NotFound(
            f"model {model!r} has no version {version!r} here: it is {contract.model_version!r}"
        )
    return contract


def _check_ready() -> None:
    if what := parts().trouble:
        raise ServiceUnavailable(what, retry_after=1)


def _body() -> bytes:
    # No Content-Type is asked for: Triton's client sends none.
    encoding = request.headers.get("Content-Encoding", "")
    body = request.get_data(cache=False)
    return decompress(body, encoding, max_bytes=current_app.config["MAX_CONTENT_LENGTH"])


def _answer(written: Written) -> Response:
    content = b"".join([written.head, *written.parts])
    kind = "application/octet-stream" if written.parts else "application/json"
    headers = {_LENGTH_HEADER: str(len(written.head))} if written.parts else {}
    if request.accept_encodings["gzip"] and (packed := compress(content)):
        content = packed
        headers["Content-Encoding"] = "gzip"
    return Response(content, headers=headers, content_type=kind)
