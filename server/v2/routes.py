"""The Open Inference Protocol V2 under /v2: health, what the model takes, inference."""

from flask import Blueprint, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import NotFound, ServiceUnavailable
from werkzeug.routing import PathConverter

from server.access.scopes import ANY_KEY, OPEN, needs
from server.content import compress, decompress
from server.faults import InvalidPayload
from server.lineup import Lineup
from server.routes import store_answered
from server.v2 import metadata
from server.v2.asking import read_request
from server.v2.inputs import read_inputs, without_answer
from server.v2.outputs import Written, check_alike, find_outputs, write
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
    """List the models that answer."""
    names = [model.contract.model_name for model in parts().lineup.models]
    return json_response({"models": [*dict.fromkeys(names)]})


@blueprint.route("/repository/index", methods=["GET", "POST"])
@needs(ANY_KEY)
def index() -> Response:
    """List the models that answer, each with its version and state."""
    contracts = [model.contract for model in parts().lineup.models]
    return json_response(
        [
            {
                "name": each.model_name,
                "version": each.model_version,
                "state": "READY",
                "reason": "",
            }
            for each in contracts
        ]
    )


@blueprint.get("/models/<name:model>")
@blueprint.get("/models/<path:model>/versions/<name:version>")
@needs(ANY_KEY)
def model(model: str, version: str | None = None) -> Response:
    """Say what the model takes and answers."""
    found = _find(model, version)
    return json_response(metadata.of_model(*(each.contract for each in found.models)))


@blueprint.get("/models/<path:model>/ready")
@blueprint.get("/models/<path:model>/versions/<path:version>/ready")
@needs(ANY_KEY)
def model_ready(model: str, version: str | None = None) -> Response:
    """Say whether a row inferred by the model would be answered and stored now."""
    _find(model, version)
    _check_ready()
    return json_response({"name": model, "ready": True})


@blueprint.get("/models/<path:model>/config")
@blueprint.get("/models/<path:model>/versions/<path:version>/config")
@needs(ANY_KEY)
def config(model: str, version: str | None = None) -> Response:
    """Show the contract of the model."""
    return json_response(_find(model, version).champion.model.contract)


@blueprint.get("/models/<path:model>/stats")
@blueprint.get("/models/<path:model>/versions/<path:version>/stats")
@needs("read")
def stats(model: str, version: str | None = None) -> Response:
    """Count what the log holds of the model."""
    found = _find(model, version)
    with parts().log.reading() as snapshot:
        told = [read_statistics(snapshot, each.contract) for each in found.models]
    return json_response({"model_stats": told})


@blueprint.post("/models/<path:model>/infer")
@blueprint.post("/models/<path:model>/versions/<path:version>/infer")
@needs("predict")
def infer(model: str, version: str | None = None) -> Response:
    """Answer the outputs asked for, once all rows are stored."""
    lineup = _find(model, version)
    contract, max_instances = lineup.champion.model.contract, lineup.champion.reader.max_instances
    g.record.begin("parse")
    asked, raw = read_request(_body(), request.headers.get(_LENGTH_HEADER))
    wanted, explain = find_outputs(asked, contract)
    if lineup.challenger and not lineup.is_shadow:
        check_alike(wanted, contract, lineup.challenger.model.contract)
    columns = read_inputs(asked, raw, contract.features, max_instances=max_instances)
    if "X-Request-ID" not in request.headers and REQUEST_ID.fullmatch(asked.id or ""):
        g.request_id = asked.id
    instances = columns.to_instances()
    try:
        said = store_answered(lineup, instances, lambda said: said, explain=explain)
    except InvalidPayload as error:
        raise without_answer(error) from None
    return _answer(write(asked, contract, wanted, said))


def _find(model: str, version: str | None) -> Lineup:
    """Return what answers where this model is asked for: a version that is named answers alone."""
    lineup = parts().lineup
    if found := lineup.only(model, version):
        return found
    contracts = [each.contract for each in lineup.models]
    versions = [repr(each.model_version) for each in contracts if each.model_name == model]
    if versions:
        there = " and ".join(versions)
        raise NotFound(f"model {model!r} has no version {version!r} here: it is {there}")
    names = " and ".join({repr(each.model_name): None for each in contracts})
    raise NotFound(f"no model {model!r} is here: this server has {names}")


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
