"""Fixtures of several models: a folder of them, and apps that serve it."""

import json
import shutil

import numpy as np
import onnx
import pytest
from sklearn.base import clone

from export import export_model
from server.model import Model
from tests.server.test_model import stamped


@pytest.fixture(scope="session")
def second_penguins(binary_model, tmp_path_factory):
    """Another version with the inputs of the first, told half of the labels the wrong way round."""
    path = tmp_path_factory.mktemp("second") / "penguins.onnx"
    X, y = binary_model.X_holdout, binary_model.y_holdout  # the field's name
    wrong = y.where(np.arange(len(y)) % 2 == 0, y.map({"male": "female", "female": "male"}))
    fitted = clone(binary_model.pipeline).fit(X, wrong)
    given = {"name": "penguins", "version": "2", "target": "sex"}
    export_model(fitted, X, wrong, path, **given, X_train=X, y_train=wrong)
    return path


@pytest.fixture(scope="session")
def bare_penguins(binary_model, tmp_path_factory):
    """A third version, which says its answer and no more, so that its rows want another table."""
    path = tmp_path_factory.mktemp("bare") / "penguins.onnx"
    X, y = binary_model.X_holdout, binary_model.y_holdout  # the field's name
    given = {"name": "penguins", "version": "3", "target": "sex", "explain": False}
    export_model(binary_model.pipeline, X, y, path, **given, X_train=X)
    return path


@pytest.fixture(scope="session")
def penguins(binary_model):
    """Rows of the holdout as a request has them, each with an id."""
    rows = json.loads(binary_model.X_holdout.to_json(orient="records", double_precision=15))
    return [{**row, "id": f"bird {number}"} for number, row in enumerate(rows)]


@pytest.fixture
def serving_file(binary_model, second_penguins, bare_penguins, model_path, tmp_path):
    """Three versions of penguins and one model with other inputs; penguins/1 is the champion."""
    folder = tmp_path / "models"
    for path, name in (
        (binary_model.path, "penguins/1"),
        (second_penguins, "penguins/2"),
        (bare_penguins, "penguins/3"),
        (model_path, "tiny/1"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / f"{name}.onnx")
    (folder / "serving.toml").write_text('champion = "penguins/1"\n')
    return folder / "serving.toml"


@pytest.fixture
def sha256(serving_file):
    """Return what the rows of a version of penguins say of its file."""
    return lambda version: Model(serving_file.parent / f"penguins/{version}.onnx").sha256


@pytest.fixture
def client(make_app, serving_file):
    """A client of an app that serves the folder."""
    return make_app(model=serving_file).test_client()


def switch(client, verb, **body):
    """Ask for a switch that must be made, and return the line-up from then on."""
    answer = client.post(f"/models/{verb}", json=body)
    assert answer.status_code == 200, answer.json
    return answer.json


def ask(client, statement):
    """Return the rows of a query."""
    answer = client.post("/sql.json", data={"q": statement})
    assert answer.status_code == 200, answer.json
    return answer.json["rows"]


def rewrite(path, to, **keys):
    """Write the model at `path` with some keys of its contract changed."""
    model = onnx.load(path)
    metadata = {each.key: each.value for each in model.metadata_props}
    metadata |= {name: json.dumps(value) for name, value in keys.items()}
    del metadata["file_sha256"]
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, metadata)
    to.write_bytes(stamped(model.SerializeToString()))


def key_of(path, name):
    """Return one key of the contract of the model at `path`."""
    return json.loads({each.key: each.value for each in onnx.load(path).metadata_props}[name])
