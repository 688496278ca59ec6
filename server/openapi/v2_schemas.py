"""The schemas of the Open Inference Protocol, with the names and datatypes of the model."""

from typing import Any

from server.openapi.subject import Subject
from server.openapi.values import TEXT, exactly
from server.openapi.vocabulary import Part, choice, schema
from server.v2.datatypes import BYTES, DTYPES
from server.v2.metadata import SERVER, of_model

_DATATYPES = [*DTYPES, BYTES]
_WHOLE: Part = {"type": "integer", "minimum": 0}
_PARAMETERS: Part = {"type": ["object", "null"]}


def v2_schemas(subject: Subject) -> dict[str, Part]:
    """Return the schemas."""
    contract = subject.contract
    name: Part = {"type": "string", "enum": [contract.model_name]}
    version: Part = {"type": "string", "enum": subject.versions}
    tensor = exactly(
        {
            "name": TEXT,
            "datatype": choice(*_DATATYPES),
            "shape": {"type": "array", "items": {"type": "integer", "minimum": -1}},
        }
    )
    tensors: Part = {"type": "array", "items": tensor}
    counted = exactly({"count": _WHOLE, "ns": _WHOLE})
    index = exactly({"name": name, "version": version, "state": choice("READY"), "reason": TEXT})
    statistics = exactly(
        {
            "name": name,
            "version": version,
            "last_inference": _WHOLE | {"description": "Milliseconds since 1970; 0 is never."},
            "inference_count": _WHOLE,
            "execution_count": _WHOLE,
            "inference_stats": exactly({"compute_infer": counted}),
        }
    )
    return {
        **_asked(subject),
        **_answered(subject, name, version),
        "V2Server": exactly(
            {"name": TEXT, "version": TEXT, "extensions": {"type": "array", "items": TEXT}}
        )
        | {"examples": [SERVER]},
        "V2Live": exactly({"live": {"type": "boolean"}}),
        "V2Ready": exactly({"ready": {"type": "boolean"}, "live": {"type": "boolean"}}),
        "V2Models": exactly({"models": {"type": "array", "items": name}}),
        "V2Index": {"type": "array", "items": index},
        "V2Model": exactly(
            {
                "name": name,
                "versions": {"type": "array", "items": version},
                "platform": TEXT,
                "inputs": tensors,
                "outputs": tensors,
            }
        )
        | {"examples": [of_model(contract)]},
        "V2ModelReady": exactly({"name": name, "ready": {"type": "boolean"}}),
        "V2Statistics": exactly({"model_stats": {"type": "array", "items": statistics}}),
        "V2Problem": {
            "description": "An error: clients of the protocol read `error`, which is the detail.",
            **exactly(
                {
                    "error": TEXT,
                    "type": TEXT,
                    "title": TEXT,
                    "status": {"type": "integer", "minimum": 400, "maximum": 599},
                    "detail": TEXT,
                    "errors": {"type": "array", "items": schema("Fault"), "maxItems": 100},
                },
                optional=["errors"],
            ),
        },
    }


def _asked(subject: Subject) -> dict[str, Part]:
    known = [each["name"] for each in of_model(subject.contract)["outputs"]]
    fields: dict[str, Part] = {
        "name": {"type": "string", "enum": [*(f.name for f in subject.contract.features), "id"]},
        "shape": {
            "type": "array",
            "items": _WHOLE | {"maximum": subject.settings.max_instances},
            "minItems": 1,
            "maxItems": 2,
            "description": "[rows] or [rows, 1].",
        },
        "datatype": choice(*_DATATYPES),
        "parameters": _PARAMETERS,
        "data": {"description": "The values, flat or a list a row; or bytes behind the JSON."},
    }
    asked_for = {"name": {"type": "string", "enum": known}, "parameters": _PARAMETERS}
    outputs = _open(asked_for, optional=["parameters"])
    return {
        "V2Input": _open(fields, optional=["parameters", "data"]),
        "V2Request": {
            "description": "One tensor a feature, all of as many rows. A nullable feature may be "
            "left out. Members that are not named here are left alone.",
            **_open(
                {
                    "id": {"type": ["string", "null"]},
                    "parameters": _PARAMETERS
                    | {"description": "`explain`, `binary_data_output`: true or false."},
                    "inputs": {"type": "array", "items": schema("V2Input"), "minItems": 1},
                    "outputs": {"type": ["array", "null"], "items": outputs},
                },
                optional=["id", "parameters", "outputs"],
            ),
        },
    }


def _answered(subject: Subject, name: Part, version: Part) -> dict[str, Part]:
    known = [each["name"] for each in of_model(subject.contract)["outputs"]]
    output = exactly(
        {
            "name": {"type": "string", "enum": known},
            "shape": {"type": "array", "items": _WHOLE},
            "datatype": choice(*_DATATYPES),
            "parameters": {"type": "object"},
            "data": {"type": "array", "description": "Flat, row by row."},
        },
        optional=["parameters", "data"],
    )
    return {
        "V2Answer": exactly(
            {
                "model_name": name,
                "model_version": version,
                "id": TEXT,
                "outputs": {"type": "array", "items": output},
            },
            # Where several versions answered, each row of the output says by which.
            optional=["id", "model_version"],
        )
    }


def _open(properties: dict[str, Part], *, optional: list[str]) -> Part:
    told = exactly(properties, optional=optional)
    del told["additionalProperties"]
    return told


def example_inputs(subject: Subject) -> list[dict[str, Any]]:
    """Return the example as tensors of one row; a value that is missing is left out."""
    datatypes = {each["name"]: each["datatype"] for each in of_model(subject.contract)["inputs"]}
    return [
        {"name": name, "shape": [1], "datatype": datatypes[name], "data": [value]}
        for name, value in subject.instance.items()
        if value is not None
    ]


def example_outputs(subject: Subject) -> list[dict[str, Any]]:
    """Return what is answered to the example where no output is named."""
    outputs = []
    for each in of_model(subject.contract)["outputs"]:
        if each["name"] not in subject.contract.output_names:
            continue
        said = subject.said[each["name"]]
        data = list(said.values()) if isinstance(said, dict) else [said]
        outputs.append({**each, "shape": [1, *each["shape"][1:]], "data": data})
    return outputs
