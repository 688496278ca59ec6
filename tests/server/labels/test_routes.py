"""Labels over HTTP: stored before they are answered, judged on the page, given on a form."""

import html
import json
import re
from urllib.parse import parse_qs, urlparse

import pytest

from tests.server.conftest import OBJECT

HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE given_labels; --",
    '"',
    "\\",
    "a\0b",
    "{{ 7 * 7 }}",
    "=cmd|' /C calc'!A0",
    "​‮é漢字🌌",
    "x" * 256,
]


def predict(client, *ids, **given):
    rows = [{**OBJECT, **given, "id": each} for each in ids]
    answer = client.post("/predict", json=rows)
    assert answer.status_code == 200
    return answer.json["predictions"]


def give(client, labels, **given):
    answer = client.post("/labels", json=labels, **given)
    assert answer.status_code == 200, answer.json
    return answer.json


def ask(client, sql):
    answer = client.get("/sql.json", query_string={"q": sql})
    assert answer.status_code == 200, answer.json
    return answer.json["rows"]


def page(client, path, **query):
    answer = client.get(path, query_string=query, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.json
    return answer.text


def links(shown, start):
    found = map(html.unescape, re.findall(r'href="([^"]*)"', shown))
    return [link for link in found if link.startswith(start)]


def test_a_label_is_stored_with_all_that_was_said_of_it(client):
    (prediction,) = predict(client, "a")
    label = {"prediction_id": prediction["prediction_id"], "label": "QSO", "given_by": "me"}

    answer = give(client, label | {"observed_at": "2026-11-22"}, headers={"X-Request-ID": "r-1"})

    assert (answer["matched"], answer["unmatched"], answer["warnings"]) == (1, 0, [])
    assert answer["prediction_id"] == prediction["prediction_id"]
    assert ask(client, "FROM labels") == [
        [
            answer["received_at"],
            prediction["prediction_id"],
            None,
            "QSO",
            None,
            "2026-11-22T00:00:00.000000Z",
            "me",
            "r-1",
            True,
            True,
        ]
    ]


def test_each_of_a_list_says_how_many_predictions_it_meets(client):
    first, *_ = predict(client, "a", "a", "b")

    answer = give(
        client,
        [
            {"id": "a", "label": "STAR"},
            {"id": "nobody", "label": "STAR"},
            {"prediction_id": first["prediction_id"], "label": "STAR"},
        ],
    )

    assert [each["matched"] for each in answer["labels"]] == [2, 0, 1]
    assert answer["unmatched"] == 1


def test_a_label_before_its_prediction_is_judged_once_that_comes(client):
    answer = give(client, {"id": "later", "label": "QSO"})

    predict(client, "later")

    assert answer["matched"] == 0
    assert ask(client, "SELECT id, truth FROM judged") == [["later", "QSO"]]


def test_a_label_that_the_served_model_cannot_answer_is_stored_with_a_warning(client):
    predict(client, "a")

    unknown = give(client, {"id": "a", "label": "MOON"})
    value = give(client, {"id": "a", "value": 1})

    assert unknown["warnings"][0].startswith('"MOON" is no class of sdss')
    assert (unknown["matched"], value["matched"]) == (1, 0)
    assert "a value is for predictions of a regression" in value["warnings"][0]
    assert ask(client, "SELECT truth, is_correct FROM judged") == [["MOON", False]]


def test_faults_are_a_problem_and_nothing_is_stored(client):
    body = [{"id": "a", "label": "STAR"}, {"id": "b"}]

    answer = client.post("/labels", json=body)

    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {"pointer": "/1", "detail": "give one of label and value: neither is there"}
    ]
    assert ask(client, "FROM labels") == []


def test_no_more_are_taken_than_instances(make_app):
    client = make_app(max_instances=2).test_client()

    answer = client.post("/labels", json=[{"id": "a", "label": "STAR"}] * 3)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["detail"] == "3 objects: send at most 2 at a time"


def test_ten_thousand_labels_are_stored_at_once(client):
    predict(client, *(str(number) for number in range(100)))

    answer = give(client, [{"id": str(number), "label": "STAR"} for number in range(10_000)])

    assert answer["unmatched"] == 9_900
    assert ask(client, "SELECT count(*), count_if(is_matched) FROM labels") == [[10_000, 100]]
    assert ask(client, "SELECT count(*) FROM judged") == [[100]]


def test_labels_come_as_a_table(client):
    predict(client, "a", "b")

    answer = client.post("/labels", data="id,label\na,STAR\nb,QSO\n", content_type="text/csv")

    assert (answer.status_code, answer.json["unmatched"]) == (200, 0)
    assert ask(client, "SELECT id, truth FROM judged ORDER BY id") == [["a", "STAR"], ["b", "QSO"]]


def test_another_body_is_a_415(client):
    answer = client.post("/labels", data="a=b", content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 415
    assert "send application/json or text/csv" in answer.json["detail"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_of_any_kind_comes_back_as_it_was_and_is_shown_as_text(client, text):
    (prediction,) = predict(client, text)

    give(client, {"id": text, "label": text, "given_by": text})

    assert ask(client, "SELECT id, truth, given_by FROM judged") == [[text, text, text]]
    for path in ("/labels", f"/predictions/{prediction['prediction_id']}"):
        shown = page(client, path)
        assert "<script>alert" not in shown
        assert "49" not in re.findall(r"<td>(\d+)</td>", shown)
    (link,) = links(page(client, "/labels"), "/predictions?id=")
    assert parse_qs(urlparse(link).query)["id"] == [f"={text}"]


def test_a_failed_commit_is_no_200(client, monkeypatch, app):
    def fail(_work):
        raise app.extensions["sextant"].log._writer.change(lambda c: c.execute("FROM nothing"))

    monkeypatch.setattr(app.extensions["sextant"].log, "change", fail)

    answer = client.post("/labels", json={"id": "a", "label": "STAR"})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"


def test_the_figures_of_a_classifier_are_those_of_its_predictions(client):
    stars = predict(client, "a", "b", "c", redshift=0.0)
    give(client, [{"id": "a", "label": "STAR"}, {"id": "b", "label": "QSO"}])

    figures = client.get("/labels").json

    assert {each["label"] for each in stars} == {"STAR"}
    assert (figures["predictions"], figures["judged"], figures["waiting"]) == (3, 2, 0)
    spectroscopic, photometric = figures["heads"]
    assert spectroscopic["accuracy"]["share"] == 0.5
    assert spectroscopic["confusion"]["counts"] == [[0, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert spectroscopic["macro_f1"] == pytest.approx((0 + 2 / 3) / 2)
    assert sum(each["rows"] for each in spectroscopic["calibration"]) == 3 * 2
    assert photometric["accuracy"] is None


def test_the_figures_of_a_regression_are_its_errors(make_app, regression_model):
    client = make_app(model=regression_model.path).test_client()
    rows = json.loads(regression_model.X_holdout.head(40).to_json(orient="records"))
    predicted = client.post("/predict", json=rows).json["predictions"]
    give(
        client,
        [
            {"prediction_id": each["prediction_id"], "value": each["value"] + 1 + 2 * (k % 2)}
            for k, each in enumerate(predicted)
        ],
    )

    (head,) = client.get("/labels").json["heads"]
    shown = page(client, "/labels")

    assert head["error"]["judged"] == 40
    assert head["error"]["mae"] == pytest.approx(2, abs=1e-5)
    assert head["error"]["bias"] == pytest.approx(-2, abs=1e-5)
    assert head["error"]["rmse"] == pytest.approx(5**0.5, abs=1e-5)
    assert [each["rows"] for each in head["calibration"]] == [4] * 10
    assert "mean absolute error" in shown
    assert "Predicted and true" in shown


def test_a_binary_model_is_judged(make_app, binary_model):
    client = make_app(model=binary_model.path).test_client()
    rows = json.loads(binary_model.X_holdout.to_json(orient="records"))
    predicted = client.post("/predict", json=rows).json["predictions"]
    truth = binary_model.y_holdout.tolist()
    give(
        client,
        [
            {"prediction_id": each["prediction_id"], "label": label}
            for each, label in zip(predicted, truth, strict=True)
        ],
    )

    (head,) = client.get("/labels").json["heads"]

    holdout = client.get("/model").json["evaluation"]["heads"][0]
    assert head["confusion"]["counts"] == holdout["confusion"]
    live = {(e["class_name"], e["rows"]): e["predicted"] for e in head["calibration"]}
    assert live == pytest.approx(
        {(e["class_name"], e["rows"]): e["predicted"] for e in holdout["reliability"]}, abs=1e-5
    )
    assert "Holdout" in page(client, "/labels")


def test_two_models_are_told_apart(make_app, regression_model):
    first = make_app()
    predict(first.test_client(), "a", redshift=0.0)
    give(first.test_client(), {"id": "a", "label": "STAR"})
    first.extensions["sextant"].log.close()
    client = make_app(model=regression_model.path).test_client()
    client.post("/predict", json={"a": 0, "b": 0, "c": 0, "id": "a"})

    figures = client.get("/labels").json
    other = client.get("/labels?model=sdss").json

    assert [each["model"] for each in figures["versions"]] == ["depth", "sdss"]
    assert (figures["judged"], figures["heads"][0]["error"]) == (0, None)
    assert other["heads"][0]["accuracy"]["share"] == 1
    assert "which is not the model served now" in page(client, "/labels", model="sdss")


def test_a_window_holds_what_was_predicted_in_it(client):
    predict(client, "a")
    give(client, {"id": "a", "label": "STAR"})

    within = client.get("/labels?last=1h").json
    before = client.get("/labels?to=2020-01-01").json

    assert (within["judged"], before["judged"], before["predictions"]) == (1, 0, 0)
    assert before["to"] == "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("query", "name"),
    [("last=soon", "last"), ("from=x", "from"), ("from=2026-01-02&to=2026-01-01", "to")],
)
def test_a_window_that_is_none_is_a_400(client, query, name):
    answer = client.get(f"/labels?{query}")

    assert answer.status_code == 400
    assert answer.json["detail"].startswith(f"{name}=")


def test_every_figure_on_the_page_can_be_asked_as_sql(client):
    predict(client, "a", "b", redshift=0.0)
    predict(client, "c")
    give(client, [{"id": "a", "label": "STAR"}, {"id": "c", "label": "STAR"}])
    give(client, {"id": "d", "label": "it's"})

    odd = page(client, "/labels", last="1h", version="it's 'x'")
    served = page(client, "/labels", last="1h")

    asked = links(odd, "/sql?q=") + links(served, "/sql?q=")
    statements = {parse_qs(urlparse(link).query)["q"][0] for link in asked}
    assert len(statements) >= 7
    for statement in statements:
        ask(client, statement)


def test_a_label_is_given_on_the_page_of_its_prediction(client):
    (prediction,) = predict(client, "a", redshift=0.0)
    path = f"/predictions/{prediction['prediction_id']}"
    before = page(client, path)

    answer = client.post(path, data={"label": "QSO", "given_by": "eyes"})

    assert "Nobody has said yet" in before
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}#truth")
    assert "the prediction is wrong" in page(client, path)
    assert "by eyes" in page(client, path)


def test_a_fault_on_the_form_is_shown_there(make_app, regression_model):
    client = make_app(model=regression_model.path).test_client()
    prediction = client.post("/predict", json={"a": 0, "b": 0, "c": 0}).json
    path = f"/predictions/{prediction['prediction_id']}"

    answer = client.post(path, data={"value": "deep"})
    empty = client.post(path, data={"value": " "})
    client.post(path, data={"value": "40.5"})

    assert (answer.status_code, empty.status_code) == (422, 422)
    assert "expected a number, got a string" in answer.text
    assert "<strong>40.5 m</strong>: predicted" in page(client, path)


def test_the_form_is_only_for_its_own_page(client):
    (prediction,) = predict(client, "a")
    path = f"/predictions/{prediction['prediction_id']}"

    foreign = client.post(path, data={"label": "QSO"}, headers={"Origin": "http://evil.example"})
    nobody = client.post(f"/predictions/{'0' * 8}-0000-0000-0000-{'0' * 12}", data={"label": "A"})

    assert (foreign.status_code, nobody.status_code) == (403, 404)
    assert ask(client, "FROM labels") == []
