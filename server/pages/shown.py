"""One prediction, and the model: each a page, and data."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Response, render_template
from werkzeug.exceptions import NotFound

from server.access.scopes import ANY_KEY, needs
from server.labels.history import find_labels
from server.pages.prediction_page import to_page
from server.pages.reliability import to_heads
from server.storage.reading import read_one
from server.web import blueprint, json_response, parts, wants_html


@blueprint.get("/predictions/<uuid:prediction_id>")
@needs("read")
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
@needs(ANY_KEY)
def show_model() -> Response | str:
    """Show the contract of the model that is served."""
    contract = parts().model.contract
    if not wants_html():
        return json_response(contract)
    return render_template("model.html", contract=contract, heads=to_heads(contract))


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the log as it is answered."""
    fixed = {name: value for name, value in row.items() if name not in ("inputs", "outputs")}
    # Rows of a log begun by an earlier version do not say which file it was.
    model = {
        "name": fixed.pop("model_name"),
        "version": fixed.pop("model_version"),
        "sha256": fixed.pop("model_sha256", None),
    }
    fixed["predicted_at"] = f"{row['predicted_at'].isoformat(timespec='microseconds')}Z"
    return {**fixed, "model": model, "inputs": row["inputs"], **row["outputs"]}
