import json
import math
import re
from datetime import UTC, datetime
from uuid import UUID

import duckdb
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from export import export_model

OBJECT = {"u": 19.47406, "g": 17.0424, "r": 15.94699, "i": 15.50342, "z": 15.22531}
STAR = {**OBJECT, "redshift": -8.96e-06}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def logged(client, **query):
    return client.get("/predictions", query_string={"format": "json", **query}).json["predictions"]


def test_one_object_answers_one_object(client):
    response = client.post("/predict", json=STAR)

    answer = response.json
    assert response.status_code == 200
    assert list(answer) == [
        *("model", "predicted_at", "prediction_id"),
        *("label", "probabilities", "head", "prediction_set", "novelty"),
        *("reasons", "photometric_reasons", "warnings"),
    ]
    assert answer["label"] == "STAR"
    assert list(answer["probabilities"]) == ["GALAXY", "QSO", "STAR"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    assert answer["head"] == "spectroscopic"
    assert UUID(answer["prediction_id"]).version == 7
    age = datetime.now(UTC) - datetime.fromisoformat(answer["predicted_at"])
    assert abs(age.total_seconds()) < 10


@pytest.mark.parametrize("instance", [OBJECT, {**OBJECT, "redshift": None}])
def test_without_redshift_the_photometric_head_answers(client, instance):
    assert client.post("/predict", json=instance).json["head"] == "photometric"


def test_a_list_answers_a_list_in_order(client):
    rows = [{**STAR, "id": "a"}, {**OBJECT, "id": "b"}, STAR]

    answer = client.post("/predict", json=rows).json

    assert list(answer) == ["model", "predicted_at", "predictions"]
    assert [row.get("id") for row in answer["predictions"]] == ["a", "b", None]
    assert [row["head"] for row in answer["predictions"]] == [
        *("spectroscopic", "photometric", "spectroscopic")
    ]


def test_rows_answer_alike_alone_and_together(client):
    rows = [STAR, OBJECT, {**STAR, "redshift": 2.1}]

    together = client.post("/predict", json={"instances": rows}).json["predictions"]
    alone = [client.post("/predict", json=row).json for row in rows]

    assert [row["probabilities"] for row in together] == [row["probabilities"] for row in alone]


def test_what_was_answered_is_what_was_stored(client):
    response = client.post(
        "/predict", json={**STAR, "u": 30, "id": "my own"}, headers={"X-Request-ID": "r-1"}
    )
    answer = response.json

    row = client.get(response.headers["Location"]).json

    assert row["inputs"] == {**STAR, "u": 30.0}
    assert row["inference_ms"] > 0
    assert (row["request_id"], row["instance"]) == ("r-1", 0)
    for name in ("model", "predicted_at", "prediction_id", "id", "label", "probabilities", "head"):
        assert row[name] == answer[name]
    assert row["prediction_set"] == answer["prediction_set"]
    assert row["novelty"] == [each["feature"] for each in answer["novelty"]] != []
    assert row["warnings"] == answer["warnings"] != []
    for prefix in ("", "photometric_"):
        moved = row[f"{prefix}contributions"]
        for reason in answer[f"{prefix}reasons"]:
            assert moved[reason["feature"]][answer["label"]] == pytest.approx(
                reason["contribution"], abs=1e-6
            )
            assert row["derived"][reason["feature"]] == reason["value"]


def test_reasons_come_by_size_and_add_up_to_the_score(client):
    response = client.post("/predict", json=STAR)
    answer, row = response.json, client.get(response.headers["Location"]).json

    sizes = [abs(reason["contribution"]) for reason in answer["reasons"]]
    scores = {
        name: row["base_values"][name] + sum(each[name] for each in row["contributions"].values())
        for name in answer["probabilities"]
    }

    assert sizes == sorted(sizes, reverse=True)
    total = sum(map(math.exp, scores.values()))
    for name, score in scores.items():
        assert math.exp(score) / total == pytest.approx(answer["probabilities"][name], abs=1e-5)


def test_reasons_are_in_words(client):
    answer = client.post("/predict", json=OBJECT).json

    details = {reason["feature"]: reason["detail"] for reason in answer["reasons"]}
    assert re.fullmatch(r"r-i = 0\.4436 pushes away from STAR by [\d.]+", details["r-i"])
    assert details["redshift"] == "redshift (missing) moves nothing"
    assert answer["reasons"] == answer["photometric_reasons"]


def test_an_object_of_a_deeper_survey_comes_back_flagged(client):
    answer = client.post("/predict", json={**OBJECT, "u": 23, "g": 22}).json

    found = {each["feature"]: each for each in answer["novelty"]}
    assert found["u"]["detail"] == "u = 23 is above 19.6, the highest the model is meant for"
    assert (found["g"]["value"], found["g"]["low"], found["g"]["high"]) == (22, None, 20)
    assert found["g-r"]["detail"].startswith("g-r = 6.05301 lies outside ")
    assert found["g-r"]["detail"].endswith("where 99.9 % of the training rows lie")


def test_an_answer_that_should_not_be_explained_is_bare(client):
    response = client.post("/predict?explain=false", json=STAR)

    assert not {"prediction_set", "novelty", "reasons"} & set(response.json)
    row = client.get(response.headers["Location"]).json
    assert [row[n] for n in ("prediction_set", "novelty", "contributions")] == [None] * 3


def test_a_list_is_given_reasons_where_they_are_asked_for(client):
    for query, expected in (("", False), ("?explain=true", True), ("?explain=false", False)):
        (answer,) = client.post(f"/predict{query}", json=[STAR]).json["predictions"]

        assert ("reasons" in answer) is expected
        assert ("novelty" in answer) is (query != "?explain=false")
        stored = client.get(f"/predictions/{answer['prediction_id']}").json
        assert (stored["contributions"] is None) is (query == "?explain=false")


@pytest.mark.parametrize("value", ["", "no", "TRUE", "1"])
def test_explain_is_true_or_false(client, value):
    response = client.post(f"/predict?explain={value}", json=STAR)

    assert response.status_code == 400
    assert "there are true and false" in response.json["detail"]


def test_many_rows_are_stored_as_few_are(client):
    rows = [
        *({**STAR, "id": "warned", "u": 30}, {**OBJECT, "id": 'it\'s "<odd>"'}),
        *({**STAR, "redshift": number / 1000} for number in range(698)),
    ]
    few = client.post("/predict", json=rows[:3]).json["predictions"]
    many = client.post("/predict", json=rows).json["predictions"]

    stored = [
        [client.get(f"/predictions/{each['prediction_id']}").json for each in answers[:3]]
        for answers in (few, many)
    ]

    for one, other in zip(*stored, strict=True):
        for name in ("prediction_id", "predicted_at", "request_id", "inference_ms"):
            assert one.pop(name) != other.pop(name)
        assert one == other


@pytest.mark.parametrize("name", ["01a200a7-4a9e-7a2e-89e1-7b85e7d2e251", "x", "0"])
def test_a_prediction_that_is_not_there_is_named(client, name):
    response = client.get(f"/predictions/{name}")

    assert (response.status_code, response.content_type) == (404, "application/problem+json")


def test_a_missing_value_is_stored_as_missing(client):
    client.post("/predict", json=OBJECT)

    assert logged(client)[0]["inputs"]["redshift"] is None


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (400, b"not json", "application/json"),
        (400, b"", "application/json"),
        (415, b"u=1", "application/x-www-form-urlencoded"),
        (415, b"{}", None),
        (422, b"[]", "application/json"),
        (422, json.dumps({**STAR, "u": True}).encode(), "application/json"),
        (422, json.dumps([STAR] * 3 + [{}]).encode(), "application/json"),
        (413, b" " * (16 * 1024 * 1024 + 1), "application/json"),
    ],
)
def test_a_refusal_is_a_problem_and_stores_nothing(client, status, body, content_type):
    response = client.post("/predict", data=body, content_type=content_type)

    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert response.json["status"] == status
    assert set(response.json) >= {"type", "title", "detail"}
    assert logged(client) == []


def test_faults_bear_their_pointers(client):
    response = client.post("/predict", json=[STAR, {**STAR, "u": "x"}])

    assert response.json["errors"] == [
        {"pointer": "/1/u", "detail": "expected a number, got a string"}
    ]


@pytest.mark.parametrize(("method", "path"), [("GET", "/predict"), ("POST", "/predictions")])
def test_a_wrong_method_is_named_with_the_right_ones(client, method, path):
    response = client.open(path, method=method)

    assert response.status_code == 405
    assert response.content_type == "application/problem+json"
    assert response.headers["Allow"]


def test_an_unknown_page_is_a_problem(client):
    response = client.get("/nothing")

    assert (response.status_code, response.content_type) == (404, "application/problem+json")


def test_while_the_log_cannot_be_written_a_client_is_told_when_to_come_back(
    app, client, monkeypatch
):
    def fail(_group):
        raise duckdb.TransactionException("No space left on device: /secret/place")

    monkeypatch.setattr(app.extensions["sextant"].log._writer._log, "commit", fail)

    response = client.post("/predict", json=STAR)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert "secret" not in response.text
    assert client.get("/health/ready").headers["Retry-After"] == "1"


def test_values_without_a_finite_answer_are_refused_with_their_place(make_app, tmp_path):
    X = pd.DataFrame({"a": [0, 1, 2, 3], "b": [1, 0, 3, 2]}, dtype="float32")
    y = 2 * X["a"] + 3 * X["b"]
    path = tmp_path / "line.onnx"
    export_model(LinearRegression().fit(X, y), X, y, path, name="line", version="1")
    client = make_app(model=path).test_client()

    rows = [{"a": 1, "b": 1}, {"a": 3e38, "b": 3e38}]
    response = client.post("/predict", json={"instances": rows})

    assert response.status_code == 422
    assert response.json["errors"] == [
        {
            "pointer": "/instances/1",
            "detail": "the model has no finite answer to these values",
        }
    ]
    assert logged(client) == []


def test_an_unexpected_fault_tells_nothing_of_the_inside(app, client, monkeypatch):
    def fail(*_, **__):
        raise ValueError("secret")

    monkeypatch.setattr(app.extensions["sextant"].model, "predict", fail)

    response = client.post("/predict", json=STAR)

    assert response.status_code == 500
    assert "secret" not in response.text


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        RuntimeError("Non-zero status code returned while running If node: std::bad_alloc"),
        RuntimeError("Failed to allocate memory for requested buffer of size 168192"),
    ],
)
def test_a_want_of_memory_is_told_to_pass(app, client, monkeypatch, error):
    def fail(*_, **__):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(app.extensions["sextant"].model, "predict", fail)
        response = client.post("/predict", json=STAR)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert "there is too little memory: send the request again" in response.json["detail"]
    assert logged(client) == []
    assert client.post("/predict", json=STAR).status_code == 200


def test_a_request_is_called_what_its_sender_called_it(client):
    assert client.get("/health/live", headers={"X-Request-ID": "abc"}).headers["X-Request-ID"] == (
        "abc"
    )
    made = client.get("/health/live", headers={"X-Request-ID": "a b"}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_pages_of_predictions_follow_each_other_without_gap_or_overlap(client):
    sent = [{**STAR, "id": str(number)} for number in range(7)]
    client.post("/predict", json=sent)
    seen, path = [], "/predictions?format=json&limit=3"
    while path:
        page = client.get(path).json
        seen += [row["id"] for row in page["predictions"]]
        path = page["next"]
        client.post("/predict", json={**STAR, "id": "later"})

    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=" + "9" * 5000,
        "limit=x",
        "limit=²",
        "before=x",
        "format=xml",
    ],
)
def test_a_wrong_query_is_named(client, query):
    response = client.get(f"/predictions?{query}")

    assert response.status_code == 400
    assert query.split("=")[0] in response.json["detail"]


def test_the_model_is_told_as_its_contract(client):
    contract = client.get("/model").json

    assert contract["model_name"] == "sdss"
    assert [feature["name"] for feature in contract["features"]] == [
        *("u", "g", "r", "i", "z", "redshift")
    ]


@pytest.mark.parametrize("path", ["/", "/model", "/predictions", "/predictions?limit=1"])
def test_a_browser_gets_a_page(client, path):
    client.post("/predict", json=[STAR, {**OBJECT, "u": 30}])

    response = client.get(path, headers=BROWSER)

    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert "<script" not in response.text


def test_the_model_page_tells_of_what_is_answered_only(client):
    page = client.get("/model", headers=BROWSER).text

    assert "<dt>head</dt>" in page
    assert "contributions" not in page


def test_what_callers_send_is_escaped_on_the_page(client):
    client.post("/predict", json={**STAR, "id": "<script>alert(1)</script>"})

    page = client.get("/predictions", headers=BROWSER).text

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_an_empty_log_says_what_to_do(client):
    assert "Nothing has been predicted yet" in client.get("/predictions", headers=BROWSER).text


def test_the_form_predicts_and_stores(client):
    page = client.post("/", data={name: str(value) for name, value in OBJECT.items()})

    (row,) = logged(client)
    assert page.status_code == 200
    assert f'<p class="label">{row["label"]}' in page.text
    assert row["prediction_id"] in page.text
    assert row["inputs"] == {**OBJECT, "redshift": None}


@pytest.mark.parametrize("typed", ["bright", "NaN", "1e99", "<b>"])
def test_the_form_names_what_is_wrong_and_keeps_what_was_typed(client, typed):
    page = client.post("/", data={**OBJECT, "u": typed})

    assert page.status_code == 422
    assert "<strong>u</strong>" in page.text
    assert f'value="{typed.replace("<", "&lt;").replace(">", "&gt;")}"' in page.text
    assert logged(client) == []


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://localhost:81", "null"])
def test_the_form_is_not_for_other_sites(client, origin):
    page = client.post("/", data=OBJECT, headers={"Origin": origin})

    assert page.status_code == 403
    assert logged(client) == []


def test_health_tells_live_and_ready(app, client):
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 200

    app.extensions["sextant"].is_stopping.set()

    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 503
