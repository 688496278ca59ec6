"""What the tests of the Open Inference Protocol share: an app for a file of tests, and requests."""

import json

import numpy as np
import pytest

from server.app import create_app
from server.config import Settings
from tests.server.conftest import OBJECT, SHIPPED

STAR = {**OBJECT, "redshift": -8.96e-06}
INFER = "/v2/models/sdss/infer"
# Small, so that what is too much is quickly made.
MAX_BODY_BYTES = 200_000
MAX_INSTANCES = 50


def made_client(folder, model=SHIPPED):
    settings = Settings(
        model=model,
        database=folder / "predictions.duckdb",
        max_body_bytes=MAX_BODY_BYTES,
        max_instances=MAX_INSTANCES,
    )
    app = create_app(settings)
    return app, app.test_client()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of the shipped model, one for the tests of a file."""
    app, client = made_client(tmp_path_factory.mktemp("v2"))
    yield client
    app.extensions["sextant"].log.close()


@pytest.fixture(scope="module")
def penguins(tmp_path_factory, binary_model):
    """A client of a model that takes a float, an integer and two texts, none of them nullable."""
    app, client = made_client(tmp_path_factory.mktemp("v2"), binary_model.path)
    yield client
    app.extensions["sextant"].log.close()


def tensor(name, values, datatype="FP32", **more):
    return {"name": name, "shape": [len(values)], "datatype": datatype, "data": values, **more}


def request_of(rows, **more):
    """Return a request in JSON for rows of the survey model."""
    names = {name: None for row in rows for name in row}
    inputs = [tensor(name, [row.get(name) for row in rows]) for name in names]
    return {"inputs": inputs, **more}


def binary(rows, **more):
    """Return the same with its values as bytes: the body, and the header that goes with it."""
    inputs, parts = [], []
    for each in request_of(rows)["inputs"]:
        values = [np.nan if value is None else value for value in each.pop("data")]
        parts.append(np.array(values, "<f4").tobytes())
        inputs.append({**each, "parameters": {"binary_data_size": len(parts[-1])}})
    return packed({"inputs": inputs, **more}, b"".join(parts))


def packed(head, rest):
    text = json.dumps(head).encode()
    return text + rest, {"Inference-Header-Content-Length": str(len(text))}


def texts(values):
    """Return texts as the binary extension has them."""
    return b"".join(len(each.encode()).to_bytes(4, "little") + each.encode() for each in values)


def infer(client, content, headers=None, path=INFER):
    body = content if isinstance(content, bytes) else json.dumps(content)
    return client.post(path, data=body, headers=headers)


def outputs_of(response):
    """Return the values of each output by name, from JSON or from bytes."""
    assert response.status_code == 200, response.data
    length = response.headers.get("Inference-Header-Content-Length")
    head = json.loads(response.data[: None if length is None else int(length)])
    at, found = int(length or 0), {}
    for each in head["outputs"]:
        if "data" in each:
            found[each["name"]] = np.array(each["data"]).reshape(each["shape"]).tolist()
            continue
        size = each["parameters"]["binary_data_size"]
        part, at = response.data[at : at + size], at + size
        if each["datatype"] == "BYTES":
            found[each["name"]] = split_texts(part)
        else:
            dtype = {"FP32": "<f4", "INT64": "<i8", "BOOL": "?"}[each["datatype"]]
            found[each["name"]] = np.frombuffer(part, dtype).reshape(each["shape"]).tolist()
    assert at in (0, len(response.data))
    return found


def split_texts(part):
    found = []
    while part:
        end = 4 + int.from_bytes(part[:4], "little")
        found.append(part[4:end].decode())
        part = part[end:]
    return found
