"""The routes of labels: give some, and see how the predictions that have one did."""

from collections.abc import Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from werkzeug.exceptions import (
    BadRequest,
    NotFound,
    ServiceUnavailable,
    UnsupportedMediaType,
)

from server.access.scopes import needs
from server.browse.times import InvalidTime, to_period
from server.contract import Contract
from server.faults import InvalidPayload, shown
from server.labels.figures import gather, to_drawings
from server.labels.judging import Scope
from server.labels.payload import Label, Labels, csv_to_json, parse
from server.labels.storing import count_matches, store
from server.pages.shown import page_of_prediction
from server.web import json_response, parts, wants_html

blueprint = Blueprint("labels", __name__)

# Longest time for a page, in seconds; a million predictions with 100,000 labels take less than two.
_PAGE_TIMEOUT_S = 15.0
# Pages at work at once, and how long another waits for its turn, in seconds.
_PAGES = BoundedSemaphore(2)
_PATIENCE_S = 5.0
PERIODS = {"1h": "hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days"}


@blueprint.post("/labels")
@needs("labels")
def give() -> Response:
    """Store what turned out to be true, then say how many predictions each label meets."""
    body = request.get_data(cache=False)
    if request.mimetype == "text/csv":
        body = csv_to_json(body)
    elif request.mimetype != "application/json":
        raise UnsupportedMediaType(
            "send application/json or text/csv, "
            f"not {request.mimetype or 'a body without Content-Type'}"
        )
    labels = parse(body, current_app.config["MAX_INSTANCES"])
    return json_response(_stored(labels))


def _stored(labels: Labels) -> dict[str, Any]:
    log, contract = parts().log, parts().model.contract
    received_at = store(log, labels, g.request_id)
    with log.reading() as snapshot:
        matches = count_matches(snapshot, labels.given)
    answers = [
        {"prediction_id": each.prediction_id} if each.id is None else {"id": each.id}
        for each in labels.given
    ]
    told = [
        {**answer, "matched": matched, "warnings": _warnings(contract, each)}
        for answer, matched, each in zip(answers, matches, labels.given, strict=True)
    ]
    shared = {
        "received_at": f"{received_at.isoformat(timespec='microseconds')}Z",
        "unmatched": matches.count(0),
    }
    return {**shared, **told[0]} if labels.is_single else {**shared, "labels": told}


def _warnings(contract: Contract, label: Label) -> list[str]:
    """Say what the served model could never answer; the log may hold models that do."""
    name = f"{contract.model_name} {contract.model_version}"
    if label.label is None:
        told = f"{name}, served now, answers labels: a value is for predictions of a regression"
        return [told] if contract.class_names else []
    if not contract.class_names:
        return [f"{name}, served now, answers values: a label is for predictions of a classifier"]
    if label.label in contract.class_names:
        return []
    return [f"{shown(label.label)} is no class of {name}, served now"]


@blueprint.post("/predictions/<uuid:prediction_id>")
@needs("labels")
def give_from_page(prediction_id: UUID) -> Any:
    """Take a label from the page of a prediction, and show that page again."""
    typed = {name: text for name, text in request.form.items() if text.strip()}
    label: dict[str, Any] = {"prediction_id": str(prediction_id), **typed}
    if "value" in typed:
        label["value"] = _number(typed["value"])
    if parts().log.find(prediction_id) is None:
        raise NotFound(f"no prediction {prediction_id} is stored here")
    try:
        labels = parse(msgspec.json.encode(label), 1)
    except InvalidPayload as error:
        told = [fault.detail for fault in error.faults] or [error.detail]
        return page_of_prediction(prediction_id, faults=told), error.status
    store(parts().log, labels, g.request_id)
    address = url_for("sextant.show_prediction", prediction_id=prediction_id, _anchor="truth")
    return redirect(address, HTTPStatus.SEE_OTHER)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


@blueprint.get("/labels")
@needs("read")
def show_labels() -> Response | str:
    """Show how the predictions did whose truth is known."""
    contract, scope = parts().model.contract, _scope()
    with _turn(), parts().log.reading(_PAGE_TIMEOUT_S) as snapshot:
        figures = gather(snapshot.cursor, contract, scope)
    if not wants_html():
        return json_response(figures | {"from": _iso(scope.since), "to": _iso(scope.until)})
    return render_template(
        "labels.html",
        contract=contract,
        figures=figures,
        drawings=[to_drawings(contract, head) for head in figures["heads"]],
        periods=PERIODS,
        given=request.args,
        sql=_ask,
        address=_address,
    )


def _scope() -> Scope:
    contract = parts().model.contract
    given = {name: request.args.get(name) for name in ("from", "to", "last")}
    try:
        now = datetime.now(UTC).replace(tzinfo=None)
        since, until = to_period(given["from"], given["to"], given["last"], now)
    except InvalidTime as error:
        raise BadRequest(f"{error.name}={given[error.name]}: {error.detail}") from None
    # What is not named is as served; of another model, all versions.
    model = request.args.get("model") or contract.model_name
    version = request.args.get("version") or None
    if version is None and model == contract.model_name:
        version = contract.model_version
    return Scope(since, until, model, version)


def _iso(time: datetime | None) -> str | None:
    return None if time is None else f"{time.isoformat()}Z"


def _ask(statement: str) -> str:
    return url_for("sql.show_sql", q=statement)


def _address(changed: Mapping[str, str | None]) -> str:
    """Return the address of this page with some of its parameters changed or taken away."""
    kept = {**request.args.to_dict(), **changed}
    query = urlencode({name: text for name, text in kept.items() if text})
    return f"{url_for('labels.show_labels')}?{query}" if query else url_for("labels.show_labels")


@contextmanager
def _turn() -> Any:
    if not _PAGES.acquire(timeout=_PATIENCE_S):
        raise ServiceUnavailable("others are reading the labels: try again", retry_after=5)
    try:
        yield
    finally:
        _PAGES.release()
