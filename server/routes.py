"""The path of a prediction: read, predict, store, answer; and whether the server can do so now."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec
from flask import Response, current_app, g, request, url_for
from werkzeug.exceptions import BadRequest, ServiceUnavailable

from server.access.scopes import OPEN, needs
from server.answers import Answer, to_content
from server.content import decompress
from server.keys import Key, to_key
from server.payload import Instances
from server.prediction_log import Rows, Stored
from server.seeing.record import Record
from server.tables.media import JSON, Formats, find_formats
from server.web import CALLER, blueprint, json_response, name_of_request, parts

T = TypeVar("T")


@blueprint.before_app_request
def _name_request() -> None:
    g.request_id = name_of_request(request.headers.get("X-Request-ID", ""))


@blueprint.after_app_request
def _return_name(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    return response


@blueprint.post("/predict")
@needs("predict")
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
    parts().load.rows.take(request.environ.get(CALLER, ""), len(instances))
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


@blueprint.get("/health/live")
@needs(OPEN)
def live() -> Response:
    """Say that the process answers."""
    return json_response({"status": "live"})


@blueprint.get("/health/ready")
@needs(OPEN)
def ready() -> Response:
    """Say whether a prediction would be answered and stored now."""
    if what := parts().trouble:
        raise ServiceUnavailable(what, retry_after=1)
    return json_response({"status": "ready"})


def _explain_of_request() -> bool | None:
    wanted = request.args.get("explain")
    if wanted not in (None, "true", "false"):
        raise BadRequest(f"explain={wanted}: there are true and false")
    return None if wanted is None else wanted == "true"
