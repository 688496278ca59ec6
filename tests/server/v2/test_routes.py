import gzip
import json
import re
import zlib
from threading import Event

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from export import export_model
from server.app import create_app
from server.config import Settings
from tests.server.conftest import OBJECT, ROOT, SHIPPED
from tests.server.v2.conftest import (
    INFER,
    MAX_BODY_BYTES,
    STAR,
    binary,
    infer,
    made_client,
    outputs_of,
    request_of,
    tensor,
)

ROWS = [STAR, OBJECT, {**STAR, "redshift": 2.1}]
JSON = {"Accept": "application/json"}


def logged(client, request_id):
    query = {"format": "json", "sort": "time", "request": request_id}
    return client.get("/predictions", query_string=query).json["predictions"]


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_the_server_says_what_it_can_do(client, path):
    answer = client.get(path).json

    assert answer["name"] == "sextant"
    assert answer["extensions"] == ["binary_tensor_data", "statistics"]


def test_health_is_told_in_json(client):
    assert client.get("/v2/health/live").json == {"live": True}
    assert client.get("/v2/health/ready").json == {"ready": True, "live": True}


def test_a_server_that_is_stopping_is_not_ready(tmp_path):
    is_stopping = Event()
    app = create_app(Settings(model=SHIPPED, database=tmp_path / "log.duckdb"), is_stopping)
    asking = app.test_client()
    is_stopping.set()

    answers = [asking.get(f"/v2/{path}") for path in ("health/ready", "models/sdss/ready")]
    app.extensions["sextant"].log.close()

    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].json["error"] == "the server is stopping"
    assert answers[0].headers["Retry-After"] == "1"


@pytest.mark.parametrize("is_versioned", [False, True])
def test_the_model_is_described_with_and_without_its_version(client, is_versioned):
    contract = client.get("/model", headers=JSON).json
    version = f"/versions/{contract['model_version']}" if is_versioned else ""

    metadata = client.get(f"/v2/models/sdss{version}").json
    ready = client.get(f"/v2/models/sdss{version}/ready").json

    assert ready == {"name": "sdss", "ready": True}
    assert metadata["name"] == "sdss"
    assert metadata["platform"] == "onnx_onnxv1"
    assert metadata["versions"] == [contract["model_version"]]
    assert metadata["inputs"][0] == {"name": "u", "datatype": "FP32", "shape": [-1, 1]}
    outputs = {each["name"]: (each["datatype"], each["shape"]) for each in metadata["outputs"]}
    assert outputs["label"] == ("BYTES", [-1])
    assert outputs["contributions"] == ("FP32", [-1, 6, 3])
    assert outputs["novelty"] == ("BOOL", [-1, 8])
    assert client.get(f"/v2/models/sdss{version}/config").json == contract


def test_what_clients_ask_beside_the_protocol_is_answered(client):
    assert client.get("/v2/models").json == {"models": ["sdss"]}
    for answer in (client.get("/v2/repository/index"), client.post("/v2/repository/index")):
        assert [(each["name"], each["state"]) for each in answer.json] == [("sdss", "READY")]


@pytest.mark.parametrize(
    "path",
    [
        *(f"/v2/models/other{end}" for end in ("", "/ready", "/config", "/stats", "/infer")),
        *(f"/v2/models/sdss/versions/0{end}" for end in ("", "/ready", "/infer")),
        "/v2/nothing",
        "/v2/models/sdss/versions",
    ],
)
def test_what_is_not_here_is_said_as_clients_read_it(client, path):
    answer = client.post(path) if path.endswith("infer") else client.get(path)

    assert answer.status_code == 404
    assert answer.content_type == "application/json"
    assert answer.json["error"] == answer.json["detail"]
    assert answer.json["status"] == 404


def test_errors_elsewhere_stay_problems(client):
    assert client.get("/v20").content_type == "application/problem+json"
    assert "error" not in client.get("/v20").get_json(force=True)


@pytest.mark.parametrize("is_binary", [False, True])
@pytest.mark.parametrize("is_answered_binary", [False, True])
def test_rows_answer_as_they_do_elsewhere(client, is_binary, is_answered_binary):
    wanted = client.post("/predict", json=ROWS).json["predictions"]
    parameters = {"binary_data_output": is_answered_binary}

    if is_binary:
        response = infer(client, *binary(ROWS, parameters=parameters))
    else:
        response = infer(client, request_of(ROWS, parameters=parameters))

    found = outputs_of(response)
    assert list(found) == ["label", "probabilities", "head"]
    assert found["label"] == [row["label"] for row in wanted]
    assert found["head"] == [row["head"] for row in wanted]
    assert np.float32(found["probabilities"]).tolist() == [
        np.float32(list(row["probabilities"].values())).tolist() for row in wanted
    ]
    kind = "application/octet-stream" if is_answered_binary else "application/json"
    assert response.content_type == kind


@pytest.mark.parametrize("is_binary", [False, True])
def test_rows_are_stored_like_any_other(client, is_binary):
    rows = [{**row, "u": 30} for row in ROWS]
    request_id = f"stored-{is_binary}"
    by_predict = client.post("/predict", json=rows, headers={"X-Request-ID": f"p-{request_id}"})

    content = binary(rows, id=request_id) if is_binary else (request_of(rows, id=request_id),)
    response = infer(client, *content)

    assert by_predict.status_code == response.status_code == 200
    assert response.headers["X-Request-ID"] == request_id
    stored, wanted = logged(client, request_id), logged(client, f"p-{request_id}")
    for row in (*stored, *wanted):
        for name in ("prediction_id", "predicted_at", "request_id", "inference_ms"):
            del row[name]
    assert stored == wanted != []
    assert stored[0]["warnings"] != []


def test_the_id_is_answered_only_where_it_was_sent(client):
    odd = "größer, and no id for a header"

    answers = [
        infer(client, request_of([STAR], **given), headers).json
        for given, headers in (
            ({}, {}),
            ({"id": "mine"}, {"X-Request-ID": "another"}),
            ({"id": odd}, {}),
        )
    ]

    assert [answer.get("id") for answer in answers] == [None, "mine", odd]
    assert len(logged(client, "another")) == 1
    assert logged(client, "mine") == []


def test_rows_bear_the_ids_of_the_caller(client):
    request = request_of(ROWS, id="with-ids", outputs=[{"name": "prediction_id"}])
    request["inputs"].insert(0, tensor("id", ["a", "b", "c"], "BYTES"))

    found = outputs_of(infer(client, request))

    for prediction_id, name in zip(found["prediction_id"], "abc", strict=True):
        assert client.get(f"/predictions/{prediction_id}").json["id"] == name


def test_an_input_that_may_be_missing_may_be_left_out(client):
    left_out = outputs_of(infer(client, request_of([OBJECT, OBJECT])))
    as_null = outputs_of(infer(client, request_of([{**OBJECT, "redshift": None}] * 2)))
    as_nan = outputs_of(infer(client, *binary([{**OBJECT, "redshift": None}] * 2)))
    # No JSON, but what clients in Python write.
    body = json.dumps(request_of([{**OBJECT, "redshift": float("nan")}] * 2)).encode()
    as_word = outputs_of(infer(client, body))

    assert b"NaN" in body
    assert left_out == as_null == as_word
    assert as_nan == left_out
    assert left_out["head"] == ["photometric"] * 2


@pytest.mark.parametrize("way", ["gzip", "deflate"])
def test_a_body_may_be_compressed(client, way):
    body, headers = binary(ROWS)
    packed = gzip.compress(body) if way == "gzip" else zlib.compress(body)

    response = infer(client, packed, {**headers, "Content-Encoding": way})

    assert outputs_of(response) == outputs_of(infer(client, body, headers))


def test_an_answer_of_some_length_is_compressed_where_that_is_asked(client):
    request = request_of(ROWS, parameters={"explain": True})

    plain = infer(client, request)
    packed = infer(client, request, {"Accept-Encoding": "gzip"})
    short = infer(client, request_of([STAR]), {"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.data)) == plain.json
    assert "Content-Encoding" not in {**plain.headers, **short.headers}


def test_a_body_that_is_too_large_is_refused_in_either_form(client):
    large = b" " * (MAX_BODY_BYTES + 1)

    plain = infer(client, large)
    bomb = infer(client, gzip.compress(large), {"Content-Encoding": "gzip"})

    assert [plain.status_code, bomb.status_code] == [413, 413]
    assert "SEXTANT_MAX_BODY_BYTES" in plain.json["error"]
    assert "SEXTANT_MAX_BODY_BYTES" in bomb.json["error"]


def test_where_nothing_is_to_be_explained_nothing_is_computed_for_it(client):
    response = infer(client, request_of([STAR], id="bare", parameters={"explain": False}))

    (row,) = logged(client, "bare")
    assert list(outputs_of(response)) == ["label", "probabilities", "head"]
    assert row["prediction_set"] is None


def test_integers_and_texts_are_taken(penguins):
    columns = {
        "body_mass": ("FP64", [4200.0, 5000.0]),
        "age": ("UINT8", [3, 8]),
        "island": ("BYTES", ["Dream", "Biscoe"]),
        "ring colour": ("BYTES", ["red", "red"]),
    }
    rows = [{name: values[row] for name, (_, values) in columns.items()} for row in (0, 1)]
    inputs = [tensor(name, values, kind) for name, (kind, values) in columns.items()]

    found = outputs_of(infer(penguins, {"inputs": inputs}, path="/v2/models/penguins/infer"))

    wanted = penguins.post("/predict", json=rows).json["predictions"]
    assert found["label"] == [row["label"] for row in wanted]


def test_statistics_count_what_is_stored(penguins):
    before = penguins.get("/v2/models/penguins/stats").json["model_stats"][0]
    row = {"body_mass": 4200, "age": 3, "island": "Dream", "ring colour": "red"}

    penguins.post("/predict", json=[row, row, row])

    after = penguins.get("/v2/models/penguins/stats").json["model_stats"][0]
    assert after["inference_count"] - before["inference_count"] == 3
    assert after["execution_count"] - before["execution_count"] == 1
    assert after["last_inference"] > before["last_inference"]
    took = [each["inference_stats"]["compute_infer"]["ns"] for each in (before, after)]
    assert took[1] > took[0]


def test_the_example_of_the_document_is_answered_as_it_stands_there(client):
    text = (ROOT / "docs" / "v2.md").read_text()
    asked = re.search(r"/infer -d '(.*?)'\n", text, re.DOTALL)[1]
    shown = re.search(r"```json\n(.*?)```", text, re.DOTALL)[1]

    answer = infer(client, asked.encode()).json

    for each in answer["outputs"]:
        if each["name"] == "probabilities":
            each["data"] = ["..."]
    assert answer == json.loads(shown)


def test_rows_without_a_finite_answer_are_named_and_not_stored(tmp_path):
    X = pd.DataFrame({"a": [0, 1, 2, 3], "b": [1, 0, 3, 2]}, dtype="float32")
    y = 2 * X["a"] + 3 * X["b"]
    model = tmp_path / "line.onnx"
    export_model(LinearRegression().fit(X, y), X, y, model, name="line", version="1")
    app, client = made_client(tmp_path, model)
    path = "/v2/models/line"

    inputs = [tensor("a", [1, 3e38]), tensor("b", [1, 3e38])]
    answer = infer(client, {"inputs": inputs}, path=f"{path}/infer")
    counted = client.get(f"{path}/stats").json["model_stats"][0]
    app.extensions["sextant"].log.close()

    assert answer.status_code == 400
    assert answer.json["error"] == "row 1: the model has no finite answer to these values"
    assert counted["inference_count"] == 0


def test_another_method_is_refused_with_the_right_one_named(client):
    answer = client.get(INFER)

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.json["error"]


@pytest.mark.parametrize("base", ["/v2/models/sdss", "/v2/models/sdss/versions/1"])
@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
def test_inference_is_said_to_take_post_alone(client, base, method):
    answer = client.open(f"{base}/infer", method=method)

    assert answer.status_code == (200 if method == "OPTIONS" else 405)
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
