"""The HTTP surface: predict, look at what was predicted, know the model and the server."""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar, cast

import msgspec
from flask import Blueprint, Response, current_app, g, render_template, request, url_for
from werkzeug.exceptions import BadRequest, NotFound, ServiceUnavailable

from server.answers import Answer, to_content
from server.content import decompress
from server.kept_answers import KeptAnswers
from server.keys import Key, to_key
from server.labels.history import find_labels
from server.model import Model
from server.pages.prediction_page import to_page
from server.pages.reliability import to_heads
from server.payload import Instances, PayloadReader
from server.prediction_log import PredictionLog, Rows, Stored
from server.seeing.record import Record
from server.seeing.seeing import Seeing
from server.storage.reading import read_one
from server.tables.answering import TableWriter
from server.tables.media import JSON, Formats, find_formats
from server.tables.reading import BodyReader

blueprint = Blueprint("sextant", __name__)

T = TypeVar("T")

REQUEST_ID = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True)
class Parts:
    """What the routes call, wired once at start."""

    reader: PayloadReader
    bodies: BodyReader
    tables: TableWriter
    model: Model
    log: PredictionLog
    kept: KeptAnswers
    is_stopping: Event
    seeing: Seeing


def parts() -> Parts:
    """Return what the app that answers this request was wired from."""
    return cast(Parts, current_app.extensions["sextant"])


@blueprint.before_app_request
def _name_request() -> None:
    g.request_id = name_of_request(request.headers.get("X-Request-ID", ""))


def name_of_request(given: str) -> str:
    """Return the caller's name of a request where it can be used, or a new one."""
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


@blueprint.after_app_request
def _return_name(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    return response


@blueprint.post("/predict")
def predict() -> Response:
    """Answer one object with one prediction, rows with rows, all stored before they leave.

    A request that names itself by a key is predicted and stored once, however often it is sent.
    """
    formats = find_formats(request.mimetype, request.mimetype_params, request.accept_mimetypes)
    body = request.get_data(cache=False)
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return _to_response(_answer(body, formats))
    key = to_key(given, request.full_path, *formats, body)
    with parts().kept.once(key) as earlier:
        response = _to_response(earlier or _answer(body, formats, key))
    if earlier:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _answer(body: bytes, formats: Formats, key: Key | None = None) -> Answer:
    explain = _explain_of_request()
    g.record.begin("parse")
    plain = decompress(
        body,
        request.headers.get("Content-Encoding", ""),
        max_bytes=current_app.config["MAX_CONTENT_LENGTH"],
    )
    instances = parts().bodies.read(formats.body, plain)
    is_single, is_at_length = instances.is_single, explain is True

    def write(outputs: dict[str, Any], stored: Stored) -> Answer:
        page = url_for(".show_prediction", prediction_id=stored.prediction_ids[0])
        if formats.answer == JSON:
            contract, reasons = parts().model.contract, is_single or is_at_length
            content = to_content(contract, instances, outputs, stored, reasons=reasons)
            written = msgspec.json.encode(content)
        else:
            written = parts().tables.write(
                formats.answer, instances, outputs, stored, at_length=is_at_length
            )
        return Answer(written, formats.content_type, page if is_single else None)

    return store_answered(instances, write, explain=explain is not False, key=key)


def _to_response(answer: Answer) -> Response:
    response = Response(answer.body, content_type=answer.content_type)
    if answer.location:
        response.headers["Location"] = answer.location
    return response


def answer_instances(instances: Instances, *, explain: bool | None = None) -> dict[str, Any]:
    """Predict, store, and answer as JSON does, for a page.

    Everything is computed and stored unless `explain` is false. Reasons are put into words for one
    object, and for a list only where `explain` is true: few read ten thousand of them.
    """
    reasons = instances.is_single or explain is True
    outputs, stored = predict_and_store(instances, explain=explain is not False)
    return to_content(parts().model.contract, instances, outputs, stored, reasons=reasons)


def predict_and_store(instances: Instances, *, explain: bool) -> tuple[dict[str, Any], Stored]:
    """Return what the model says, by output, once the rows are committed."""
    return store_answered(instances, lambda outputs, stored: (outputs, stored), explain=explain)


def store_answered(
    instances: Instances,
    write: Callable[[dict[str, Any], Stored], T],
    *,
    explain: bool,
    key: Key | None = None,
) -> T:
    """Predict, write the answer, store: the path of every prediction once its body is read.

    Returns what `write` makes of the outputs and the numbers of the rows, once these are committed.
    With a `key` that is an Answer, and is committed together with them.
    """
    record: Record = g.record
    record.rows = len(instances)
    record.begin("model")
    prediction = parts().model.predict(instances.arrays, explain=explain)
    if prediction.not_finite:
        raise instances.without_answer(prediction.not_finite)
    record.begin("answer")
    log = parts().log
    stored = log.number(len(instances))
    rows = Rows(
        request_id=g.request_id,
        ids=instances.ids,
        values=instances.values,
        outputs=prediction.outputs,
        warnings=instances.warnings,
        inference_ms=prediction.inference_ms,
        numbered=stored,
    )
    if key is None:
        # Written while the rows are committed.
        task = log.hand_in(None, **rows)
        answer = write(prediction.outputs, stored)
    else:
        answer = write(prediction.outputs, stored)
        rows["kept"] = key.keep(cast(Answer, answer), stored, g.request_id)
        task = log.hand_in(None, **rows)
    record.begin("store")
    log.wait(task)
    parts().seeing.predictions.predicted(
        instances.arrays, prediction.outputs, prediction.inference_ms, len(instances)
    )
    return answer


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
    if what := trouble():
        raise ServiceUnavailable(what, retry_after=1)
    return json_response({"status": "ready"})


def trouble() -> str | None:
    """Return why a prediction would probably not be answered and stored now, or None."""
    return "the server is stopping" if parts().is_stopping.is_set() else parts().log.trouble


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
