"""The path of a prediction: read, predict, store, answer; and whether the server can do so now."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import msgspec
from flask import Response, current_app, g, request, url_for
from werkzeug.exceptions import BadRequest, ServiceUnavailable

from server.access.scopes import OPEN, needs
from server.answers import Answer, to_content
from server.content import decompress
from server.keys import Key, to_key
from server.lineup import Lineup
from server.payload import Instances
from server.seeing.record import Record
from server.served import Said
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
    lineup = parts().lineup
    instances = lineup.champion.bodies.read(formats.body, plain)
    is_single, is_at_length = instances.is_single, explain is True

    def write(said: Sequence[Said]) -> Answer:
        page = url_for(".show_prediction", prediction_id=said[0].stored.prediction_ids[0])
        if formats.answer == JSON:
            content = to_content(said, instances, reasons=is_single or is_at_length)
            written = msgspec.json.encode(content)
        else:
            written = parts().tables.write(formats.answer, said, at_length=is_at_length)
        return Answer(written, formats.content_type, page if is_single else None)

    return store_answered(lineup, instances, write, explain=explain is not False, key=key)


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

    def write(said: Sequence[Said]) -> dict[str, Any]:
        return to_content(said, instances, reasons=reasons)

    return store_answered(parts().lineup, instances, write, explain=explain is not False)


def store_answered(
    lineup: Lineup,
    instances: Instances,
    write: Callable[[Sequence[Said]], T],
    *,
    explain: bool,
    key: Key | None = None,
) -> T:
    """Predict, write the answer, store: the path of every prediction once its body is read.

    Returns what `write` makes of what the models of the line-up say, once it is committed.
    With a `key` that is an Answer, and is committed together with them.
    """
    record: Record = g.record
    record.rows = len(instances)
    parts().load.rows.take(request.environ.get(CALLER, ""), len(instances))
    record.begin("model")
    log = parts().log
    stored = log.number(len(instances))
    answered = lineup.answer(instances, stored, explain=explain)
    if answered.not_finite:
        raise instances.without_answer(answered.not_finite)
    record.begin("answer")
    rows, shadows = answered.rows(g.request_id)
    if key is None:
        # Written while the rows are committed.
        task = log.hand_in(None, *rows, shadows=shadows)
        answer = write(answered.said)
    else:
        answer = write(answered.said)
        kept = key.keep(cast(Answer, answer), stored, g.request_id)
        task = log.hand_in(None, *rows, shadows=shadows, kept=kept)
    record.begin("store")
    log.wait(task)
    parts().seeing.predictions.answered(answered)
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
