"""The page that says what this server is, with a form to try it."""

import json
import re
import sys
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from server.access.scopes import ANY_KEY, OPEN, needs
from server.contract import Contract, Feature, to_decimals
from server.faults import Fault, InvalidPayload
from server.routes import answer_instances
from server.web import parts

blueprint = Blueprint("pages", __name__)

# What a person may write for a number: JSON's own way, or with a plus, or without a zero.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@blueprint.get("/")
@needs(ANY_KEY)
def home() -> str:
    """Say what this is and offer a form to try it."""
    example = example_instance(parts().model.contract)
    return _home(example, example=example)


@blueprint.post("/")
@needs("predict")
def try_it() -> str | tuple[str, int]:
    """Predict from the form, through the same steps as any other request."""
    contract = parts().model.contract
    typed = {feature.name: request.form.get(feature.name, "") for feature in contract.features}
    instance = {
        feature.name: _value_of_text(feature, typed[feature.name])
        for feature in contract.features
        if typed[feature.name].strip() or feature.type == "string"
    }
    reader = parts().lineup.champion.reader
    try:
        answer = answer_instances(reader.parse(json.dumps(instance).encode()))
    except InvalidPayload as error:
        faults = _faults_by_name(error, contract, instance)
        return _home(typed, example=example_instance(contract), faults=faults), error.status
    return _home(typed, example=instance, answer=answer)


def _home(
    values: dict[str, Any], *, example: dict[str, Any], answer: Any = None, faults: Any = None
) -> str:
    return render_template(
        "home.html",
        contract=parts().model.contract,
        values=values,
        answer=answer,
        faults=faults or {},
        example=json.dumps(example, ensure_ascii=False),
    )


def _faults_by_name(
    error: InvalidPayload, contract: Contract, instance: dict[str, Any]
) -> dict[str, str]:
    """Return what is wrong by the name of its field, or by "" where it is no single field."""
    faults = error.faults or [Fault("", error.detail)]
    details = {_name_of_pointer(fault.pointer): fault.detail for fault in faults}
    # A program is told of types; who typed something that is no number is told just that.
    no_numbers = {
        feature.name: f"'{instance[feature.name]}' is not a number"
        for feature in contract.features
        if feature.type != "string" and isinstance(instance.get(feature.name), str)
    }
    return {name: no_numbers.get(name, detail) for name, detail in details.items()}


def _name_of_pointer(pointer: str) -> str:
    return pointer.removeprefix("/").replace("~1", "/").replace("~0", "~")


@blueprint.get("/favicon.ico")
@needs(OPEN)
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
    number = text.strip()
    if feature.type == "string" or not _NUMBER.fullmatch(number):
        return text
    if feature.type == "int64" and number.lstrip("+-").isdigit():
        return int(number) if len(number) < sys.int_info.default_max_str_digits else text
    # JSON has no infinity: what is beyond a double stays beyond float32.
    return min(max(float(number), -sys.float_info.max), sys.float_info.max)
