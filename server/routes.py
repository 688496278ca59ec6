"""The HTTP surface: predict, look at what was predicted, know the model and the server."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, cast

import msgspec
from flask import Blueprint, Response, current_app, g, render_template, request, url_for
from werkzeug.exceptions import (
    BadRequest,
    NotFound,
    ServiceUnavailable,
    UnsupportedMediaType,
)

from server.answers import to_answers
from server.labels.history import find_labels
from server.model import Model
from server.pages.prediction_page import to_page
from server.pages.reliability import to_heads
from server.payload import PayloadReader
from server.prediction_log import PredictionLog
from server.storage.reading import read_one

blueprint = Blueprint("sextant", __name__)

_REQUEST_ID = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True)
class Parts:
    """What the routes call, wired once at start."""

    reader: PayloadReader
    model: Model
    log: PredictionLog
    is_stopping: Event


def parts() -> Parts:
    """Return what the app that answers this request was wired from."""
    return cast(Parts, current_app.extensions["sextant"])


@blueprint.before_app_request
def _name_request() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


@blueprint.after_app_request
def _return_name(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    return response


@blueprint.post("/predict")
def predict() -> Response:
    """Answer one object with one prediction, a list with a list, all stored before they leave."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType(
            f"send application/json, not {request.mimetype or 'a body without Content-Type'}"
        )
    answer = answer_body(request.get_data(cache=False), explain=_explain_of_request())
    response = json_response(answer)
    if "prediction_id" in answer:
        response.headers["Location"] = url_for(
            ".show_prediction", prediction_id=answer["prediction_id"]
        )
    return response


def answer_body(body: bytes, *, explain: bool | None = None) -> dict[str, Any]:
    """Parse, predict, store, answer: the path of every prediction.

    Everything is computed and stored unless `explain` is false. Reasons are put into words for one
    object, and for a list only where `explain` is true: few read ten thousand of them.
    """
    reader, model, log = parts().reader, parts().model, parts().log
    instances = reader.parse(body)
    prediction = model.predict(instances.arrays, explain=explain is not False)
    if prediction.not_finite:
        raise instances.without_answer(prediction.not_finite)
    stored = log.append(
        request_id=g.request_id,
        ids=instances.ids,
        values=instances.values,
        outputs=prediction.outputs,
        warnings=instances.warnings,
        inference_ms=prediction.inference_ms,
    )
    contract = model.contract
    said = to_answers(
        contract,
        instances.values,
        prediction.outputs,
        reasons=instances.is_single or explain is True,
    )
    answers = [
        {"prediction_id": str(prediction_id)}
        | ({} if caller_id is None else {"id": caller_id})
        | answer
        | {"warnings": warnings}
        for prediction_id, caller_id, answer, warnings in zip(
            stored.prediction_ids, instances.ids, said, instances.warnings, strict=True
        )
    ]
    shared = {
        "model": {"name": contract.model_name, "version": contract.model_version},
        "predicted_at": f"{stored.predicted_at.isoformat(timespec='microseconds')}Z",
    }
    return {**shared, **answers[0]} if instances.is_single else {**shared, "predictions": answers}


@blueprint.get("/predictions/<uuid:prediction_id>")
def show_prediction(prediction_id: uuid.UUID) -> Response | str:
    """Show one prediction with all that was said of it."""
    if wants_html():
        return page_of_prediction(prediction_id)
    row = parts().log.find(prediction_id)
    if row is None:
        raise NotFound(f"no prediction {prediction_id} is stored here")
    return json_response(as_json(row))


def page_of_prediction(prediction_id: uuid.UUID, faults: Sequence[str] = ()) -> str:
    """Return the page of a prediction, with what is wrong with the label that was typed there."""
    contract = parts().model.contract
    with parts().log.reading() as snapshot:
        row = read_one(snapshot.cursor, snapshot.sources, prediction_id)
        if row is None:
            raise NotFound(f"no prediction {prediction_id} is stored here")
        labels = find_labels(snapshot.cursor, row)
    page = to_page(contract, row)
    return render_template(
        "prediction.html", contract=contract, row=row, page=page, labels=labels, faults=faults
    )


@blueprint.get("/model")
def show_model() -> Response | str:
    """Show the contract of the model that is served."""
    contract = parts().model.contract
    if not wants_html():
        return json_response(contract)
    return render_template("model.html", contract=contract, heads=to_heads(contract))


@blueprint.get("/health/live")
def live() -> Response:
    """Say that the process answers."""
    return json_response({"status": "live"})


@blueprint.get("/health/ready")
def ready() -> Response:
    """Say whether a prediction would be answered and stored now."""
    if parts().is_stopping.is_set():
        raise ServiceUnavailable("the server is stopping", retry_after=1)
    if trouble := parts().log.trouble:
        raise ServiceUnavailable(trouble, retry_after=1)
    return json_response({"status": "ready"})


def wants_html() -> bool:
    """Tell whether who asks wants the page, and not the data."""
    wanted = request.args.get("format", "")
    if wanted not in ("", "json", "html"):
        raise BadRequest(f"format={wanted}: there are json and html")
    best = request.accept_mimetypes.best_match(["application/json", "text/html"])
    return (wanted or ("html" if best == "text/html" else "json")) == "html"


def _explain_of_request() -> bool | None:
    wanted = request.args.get("explain")
    if wanted not in (None, "true", "false"):
        raise BadRequest(f"explain={wanted}: there are true and false")
    return None if wanted is None else wanted == "true"


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the log as it is answered."""
    fixed = {name: value for name, value in row.items() if name not in ("inputs", "outputs")}
    model = {"name": fixed.pop("model_name"), "version": fixed.pop("model_version")}
    fixed["predicted_at"] = f"{row['predicted_at'].isoformat(timespec='microseconds')}Z"
    return {**fixed, "model": model, "inputs": row["inputs"], **row["outputs"]}


def json_response(content: Any) -> Response:
    """Return `content` as JSON."""
    return Response(msgspec.json.encode(content), content_type="application/json")
