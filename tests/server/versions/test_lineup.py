"""Who answers whom: sticky, whatever the way in, and stored as it was answered."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from server.storage.ids import PredictionIds
from tests.server.test_together import Running
from tests.server.versions.conftest import ask, switch


def versions_of(client, rows):
    """Return which version answered each row of a list."""
    answer = client.post("/predict", json=rows).json
    if "model" in answer:
        return [answer["model"]["version"]] * len(rows)
    return [row["model"]["version"] for row in answer["predictions"]]


@pytest.fixture
def challenged(client):
    switch(client, "challenge", model="penguins/2", share=0.4)
    return client


def test_one_id_is_answered_by_one_version_whatever_the_way_in(challenged, penguins):
    rows = penguins[:40]
    names = [key for key in rows[0] if key != "id"]
    whole = versions_of(challenged, rows)

    singles = [one(challenged, row) for row in rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    table = challenged.post("/predict", data=text.getvalue(), content_type="text/csv")
    lines = list(csv.DictReader(io.StringIO(table.text)))
    kinds = {"body_mass": "FP32", "age": "INT64"}
    inputs = [
        {"name": name, "shape": [40], "datatype": kinds.get(name, "BYTES"), "data": column}
        for name, column in [(name, [row[name] for row in rows]) for name in [*names, "id"]]
    ]
    v2 = challenged.post("/v2/models/penguins/infer", json={"inputs": inputs}).json

    assert {*whole} == {"1", "2"}
    assert singles == whole
    assert [line["model_version"] for line in lines] == whole
    assert [line["id"] for line in lines] == [row["id"] for row in rows]
    assert v2["outputs"][-1]["data"] == whole
    assert v2["outputs"][0]["data"] == [line["label"] for line in lines]


def one(client, row):
    return client.post("/predict", json=row).json["model"]["version"]


def test_a_larger_share_keeps_those_who_were_drawn(client, penguins):
    drawn = []
    for share in (0, 0.2, 0.6, 1):
        switch(client, "challenge", model="penguins/2", share=share)
        versions = versions_of(client, penguins)
        drawn.append({place for place, version in enumerate(versions) if version == "2"})

    assert drawn[0] < drawn[1] < drawn[2] < drawn[3]
    assert len(drawn[3]) == len(penguins)
    assert abs(len(drawn[1]) / len(penguins) - 0.2) < 0.1


def test_requests_that_are_answered_together_are_drawn_as_each_alone(
    make_app, serving_file, penguins
):
    app = make_app(model=serving_file)
    switch(app.test_client(), "challenge", model="penguins/2", share=0.5)
    running = Running(app)
    try:
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(running.ask, penguins[:40]))
    finally:
        running.stop()

    assert {status for status, *_ in found} == {200}
    versions = [answer["model"]["version"] for _, _, answer in found]
    assert versions == versions_of(app.test_client(), penguins[:40])
    for row, (_, headers, answer) in zip(penguins, found, strict=False):
        assert answer["id"] == row["id"]
        assert headers["Location"] == f"/predictions/{answer['prediction_id']}"
        stored = app.test_client().get(headers["Location"]).json
        assert (stored["model"], stored["label"]) == (answer["model"], answer["label"])


def test_rows_without_an_id_are_drawn_one_by_one(challenged, penguins):
    row = {name: value for name, value in penguins[0].items() if name != "id"}

    versions = versions_of(challenged, [row] * 100)

    assert 20 <= versions.count("2") <= 60


def test_a_row_says_which_file_answered(challenged, penguins, sha256):
    answer = challenged.post("/predict", json=penguins).json
    stored = ask(
        challenged,
        "SELECT prediction_id::VARCHAR, id, model_version, model_sha256, label, instance "
        "FROM predictions ORDER BY instance",
    )

    assert stored == [
        [row["prediction_id"], row["id"], version, sha256(version), row["label"], place]
        for place, row in enumerate(answer["predictions"])
        for version in [row["model"]["version"]]
    ]
    assert all(
        row["model"]["sha256"] == sha256(row["model"]["version"]) for row in answer["predictions"]
    )
    page = challenged.get(f"/predictions/{answer['predictions'][0]['prediction_id']}").json
    assert page["model"] == answer["predictions"][0]["model"]


def test_each_answer_is_what_its_version_says_alone(client, challenged, penguins):
    answer = challenged.post("/predict?explain=true", json=penguins[:30]).json["predictions"]

    for version in ("1", "2"):
        switch(client, "promote", model=f"penguins/{version}")
        alone = client.post("/predict?explain=true", json=penguins[:30]).json["predictions"]
        for mixed, other in zip(answer, alone, strict=True):
            if mixed["model"]["version"] == version:
                same = {"probabilities", "label", "novelty", "warnings", "prediction_set", "id"}
                assert {k: mixed[k] for k in same} == {k: other[k] for k in same}


def test_warnings_are_those_of_who_answers(client, penguins):
    row = {**penguins[0], "body_mass": 1e6}
    told = {}
    for version, share in (("1", 0), ("2", 1)):
        switch(client, "challenge", model="penguins/2", share=share)
        answer = client.post("/predict", json=row).json
        told[version] = (answer["model"]["version"], answer["warnings"][0]["detail"])

    assert told["1"][0] == "1"
    assert told["2"][0] == "2"
    assert told["1"][1] != told["2"][1]


def test_a_key_gives_the_answer_of_before_a_switch(client, penguins):
    headers = {"Idempotency-Key": "k"}
    first = client.post("/predict", json=penguins[0], headers=headers)
    switch(client, "promote", model="penguins/2")

    again = client.post("/predict", json=penguins[0], headers=headers)

    assert again.data == first.data
    assert client.post("/predict", json=penguins[0]).json["model"]["version"] == "2"


def test_a_shadow_is_stored_beside_and_told_nobody(client, penguins, sha256):
    switch(client, "challenge", model="penguins/2", shadow=True)

    answer = client.post("/predict", json=penguins[:50]).json
    one(client, penguins[0])

    assert answer["model"] == {"name": "penguins", "version": "1", "sha256": sha256("1")}
    assert ask(client, "SELECT count(*), any_value(model_version) FROM predictions") == [[51, "1"]]
    assert ask(
        client,
        "SELECT count(DISTINCT s.prediction_id), any_value(s.model_sha256), bool_and(s.id = p.id) "
        "FROM shadow_predictions s JOIN predictions p USING (prediction_id)",
    ) == [[51, sha256("2"), True]]
    client.post("/labels", json={"id": penguins[0]["id"], "label": "male"})
    assert client.get("/monitor").json["traffic"]["predictions"] == 51
    assert client.get("/labels").json["predictions"] == 51
    assert ask(client, "SELECT count(*) FROM judged") == [[2]]
    assert len(client.get("/predictions.csv").text.splitlines()) == 52
    stats = client.get("/v2/models/penguins/stats").json["model_stats"]
    assert [each["inference_count"] for each in stats] == [51, 0]


def test_a_shadow_of_a_share_is_of_the_callers_it_would_answer(client, penguins):
    switch(client, "challenge", model="penguins/2", share=0.4)
    versions = versions_of(client, penguins)
    wanted = [row["id"] for row, v in zip(penguins, versions, strict=True) if v == "2"]
    switch(client, "challenge", model="penguins/2", share=0.4, shadow=True)

    client.post("/predict", json=penguins)

    found = ask(client, "SELECT id FROM shadow_predictions ORDER BY instance")
    assert [each for (each,) in found] == wanted


def test_a_shadow_that_fails_harms_no_answer(client, penguins, monkeypatch, caplog):
    switch(client, "challenge", model="penguins/2", shadow=True)
    model = client.application.extensions["sextant"].lineup.challenger.model
    monkeypatch.setattr(model, "predict", lambda *_, **__: 1 / 0)

    for _ in range(3):
        assert client.post("/predict", json=penguins[:5]).status_code == 200

    assert ask(client, "SELECT count(*) FROM predictions") == [[15]]
    assert ask(client, "SELECT count(*) FROM shadow_predictions") == [[0]]
    assert "model_shadow_failures_total 3.0" in client.get("/metrics").text
    assert [r.getMessage() for r in caplog.records].count(
        "the challenger fails in the shadow; it answers nobody"
    ) == 1


def test_a_challenger_that_fails_is_a_500_and_stores_nothing(client, penguins, monkeypatch):
    switch(client, "challenge", model="penguins/2", share=0.5)
    model = client.application.extensions["sextant"].lineup.challenger.model
    monkeypatch.setattr(model, "predict", lambda *_, **__: 1 / 0)

    assert client.post("/predict", json=penguins).status_code == 500
    assert ask(client, "SELECT count(*) FROM predictions") == [[0]]


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/vnd.apache.parquet"])
def test_a_table_of_two_versions_is_in_the_order_of_the_request(challenged, penguins, kind):
    answer = challenged.post("/predict?explain=true", json=penguins, headers={"Accept": kind})

    assert answer.status_code == 200, answer.json
    if kind.endswith("ndjson"):
        rows = [json.loads(line) for line in answer.text.splitlines()]
    else:
        rows = pl.read_parquet(io.BytesIO(answer.data)).to_dicts()
    assert [row["id"] for row in rows] == [row["id"] for row in penguins]
    assert {row["model_version"] for row in rows} == {"1", "2"}
    assert "\\place" not in rows[0]


def test_a_version_that_is_asked_for_answers_itself(challenged, penguins):
    inputs = [
        {"name": name, "shape": [1], "datatype": kind, "data": [penguins[0][name]]}
        for name, kind in (
            ("body_mass", "FP32"),
            ("age", "INT64"),
            ("island", "BYTES"),
            ("ring colour", "BYTES"),
        )
    ]
    answers = [
        challenged.post(f"/v2/models/penguins/versions/{each}/infer", json={"inputs": inputs})
        for each in "12"
    ]

    assert [each.json["model_version"] for each in answers] == ["1", "2"]
    assert challenged.get("/v2/models/penguins").json["versions"] == ["1", "2"]
    assert challenged.get("/v2/models/penguins/versions/3").status_code == 404
    index = challenged.get("/v2/repository/index").json
    assert [each["version"] for each in index] == ["1", "2"]


def test_ids_of_some_rows_are_those_of_their_places():
    ids = PredictionIds((1 << 64) - 2, 5)

    some = ids.at([0, 2, 4]).at([1, 2])

    assert list(some) == [ids[2], ids[4]]
    assert list(some.texts()) == [str(ids[2]), str(ids[4])]
    assert [int(h) << 64 | int(low) for h, low in zip(*some.halves(), strict=True)] == [
        each.int for each in some
    ]
