"""The page that says what this server is, with a form to try it."""

import json
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden

from server.contract import Contract, Feature, to_decimals
from server.faults import InvalidPayload
from server.routes import answer_body, parts

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def home() -> str:
    """Say what this is and offer a form to try it."""
    example = example_instance(parts().model.contract)
    return _home(example, answer=None, faults=[])


@blueprint.post("/")
def try_it() -> str | tuple[str, int]:
    """Predict from the form, through the same steps as any other request."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise Forbidden("this form is only for the page it stands on; programs use POST /predict")
    features = parts().model.contract.features
    typed = {feature.name: request.form.get(feature.name, "") for feature in features}
    instance = {
        feature.name: _value_of_text(feature, typed[feature.name])
        for feature in features
        if typed[feature.name].strip() or feature.type == "string"
    }
    try:
        answer = answer_body(json.dumps(instance).encode())
    except InvalidPayload as error:
        return _home(typed, answer=None, faults=error.faults), error.status
    return _home(typed, answer=answer, faults=[])


def _home(values: dict[str, Any], answer: Any, faults: Any) -> str:
    contract = parts().model.contract
    return render_template(
        "home.html",
        contract=contract,
        values=values,
        answer=answer,
        faults={fault.pointer.removeprefix("/"): fault.detail for fault in faults},
        example=json.dumps(example_instance(contract)),
    )


@blueprint.get("/favicon.ico")
def favicon() -> Any:
    """Send browsers that ask here to the icon."""
    return redirect(url_for("static", filename="icon.svg"))


def example_instance(contract: Contract) -> dict[str, Any]:
    """Return a golden row, preferably one that lacks nothing, as a request would have it."""
    golden = contract.golden.inputs
    columns = {f.name: to_decimals(f.to_array(golden[f.name])) for f in contract.features}
    rows = [
        {name: None if value != value else value for name, value in zip(columns, row, strict=True)}
        for row in zip(*columns.values(), strict=True)
    ]
    return next((row for row in rows if None not in row.values()), rows[0])


def _value_of_text(feature: Feature, text: str) -> Any:
    # What is no number stays text, so that the fault is found and named like any other.
    if feature.type == "string":
        return text
    try:
        return int(text) if feature.type == "int64" else float(text)
    except ValueError:
        return text
