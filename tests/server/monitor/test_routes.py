"""The monitor over HTTP: what is an alarm, what is not, and the SQL behind each figure."""

import json
import math
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from export import export_model
from server.browse import log_pages
from tests.conftest import SURVEY, made_survey
from tests.server.conftest import OBJECT
from tests.server.storage.test_truth import give

HTML = {"Accept": "text/html"}
INPUTS = [*"ugriz", "redshift"]


def instances(table):
    return json.loads(table.to_json(orient="records", double_precision=9))


def rows_of(X, n, seed=0):
    return instances(X.sample(n, replace=True, random_state=seed))


def watch(client, **query):
    answer = client.get("/monitor", query_string={"format": "json", **query})
    assert answer.status_code == 200, answer.json
    return answer.json


def alarms(watched):
    """Return the checks that are alarms; the machine's own speed is none of the tests' business."""
    return {each["check"] for each in watched["alarms"]} - {"latency"}


def check(watched, name):
    return next(each for each in watched["checks"] if each["check"] == name)


@pytest.fixture
def tiny(make_app, model_path):
    return make_app(model=model_path).test_client()


def test_a_window_without_rows_says_that_there_are_too_few(client):
    watched = watch(client)

    assert watched["alarms"] == []
    assert watched["traffic"] == {"predictions": 0, "requests": 0}
    assert {each["state"] for each in watched["checks"]} == {"too few rows"}
    assert "too few rows yet: 0 of " in check(watched, "in.u")["detail"]
    assert "Nothing was predicted" in client.get("/monitor", headers=HTML).text


def test_rows_like_those_of_training_raise_no_alarm(tiny, X):
    tiny.post("/predict", json=rows_of(X, 1000))

    watched = watch(tiny)

    assert alarms(watched) == set()
    assert check(watched, "in.u")["state"] == "ok"
    assert check(watched, "in.u")["rows"] == 1000


def test_a_shift_raises_the_alarm_of_what_was_shifted_and_of_what_derives_from_it(tiny, X):
    tiny.post("/predict", json=rows_of(X.assign(u=X["u"] + 1), 1000))

    watched = watch(tiny)

    assert {"in.u", "derived.u-g"} <= alarms(watched)
    assert not {"in.g", "in.redshift", "derived.g-r"} & alarms(watched)
    assert watched["drift"]["in.u"]["psi"] > watched["drift"]["in.u"]["threshold"]


def test_few_rows_far_away_raise_the_alarm_before_there_are_enough_for_small_shifts(tiny, X):
    tiny.post("/predict", json=rows_of(X.assign(u=X["u"] + 3), 60))

    found = check(watch(tiny), "in.u")

    assert found["state"] == "alarm"
    assert found["rows"] < found["rows_needed"]


def test_a_value_that_is_missing_more_often_is_an_alarm(tiny, X):
    tiny.post("/predict", json=rows_of(X, 450))
    tiny.post("/predict", json=rows_of(X.drop(columns="redshift"), 50))

    watched = watch(tiny)

    assert "missing.redshift" in alarms(watched)
    assert check(watched, "missing.redshift")["value"] == pytest.approx(0.1)
    assert watched["missing"]["redshift"] == 50


def test_another_mix_of_labels_is_an_alarm(tiny, X, y):
    tiny.post("/predict", json=rows_of(X[y == "STAR"], 500))

    assert any(each.startswith("labels") for each in alarms(watch(tiny)))


def test_novel_rows_are_an_alarm_and_rows_without_explanation_are_not_counted(tiny, X):
    tiny.post("/predict", json=rows_of(X.assign(g=X["g"] + 10), 300))
    tiny.post("/predict?explain=false", json=rows_of(X, 100))

    watched = watch(tiny)

    assert "novelty" in alarms(watched)
    assert watched["novelty"]["of"] == 300
    assert watched["drift"]["derived.u-g"]["rows"] == 300
    assert watched["drift"]["in.u"]["rows"] == 400


def test_slow_requests_are_an_alarm(make_app, X, model_path):
    client = make_app(model=model_path, alarm_p99_ms=0.001).test_client()
    for row in rows_of(X, 100):
        client.post("/predict", json=row)

    watched = watch(client)

    assert check(watched, "latency")["state"] == "alarm"
    assert watched["latency_ms"]["p99"] > 0.001


def test_a_higher_threshold_from_the_settings_raises_no_alarm(make_app, X, model_path):
    client = make_app(model=model_path, drift_psi=50, alarm_share=0.9).test_client()
    client.post("/predict", json=rows_of(X.assign(u=X["u"] + 1), 1000))

    assert alarms(watch(client)) == set()


@pytest.mark.parametrize("seed", range(3))
def test_windows_without_a_shift_keep_to_the_stated_rate(tiny, survey, seed):
    """Three times 20 of the windows that benchmarks/drift.py has 200 of, drawn anew each time."""
    # Of what the model was trained on: the real table, or more of the made one.
    made = made_survey(20_000, seed=seed + 10)
    table = (survey.sample(8_000, random_state=seed) if SURVEY else made)[INPUTS]
    raised = 0
    for window in range(20):
        answer = tiny.post("/predict", json=instances(table[window * 400 : (window + 1) * 400]))
        at = datetime.fromisoformat(answer.json["predicted_at"]).replace(tzinfo=None)
        until = at + timedelta(microseconds=1)
        watched = watch(tiny, **{"from": at.isoformat(), "to": until.isoformat()})
        assert watched["traffic"]["predictions"] == 400
        raised += bool(alarms(watched))

    # At one in a hundred, three or more of twenty are seen once in a thousand times.
    assert raised <= 2


def ask(client, sql):
    answer = client.get("/sql.json", query_string={"q": sql})
    assert answer.status_code == 200, answer.json
    names = [column["name"] for column in answer.json["columns"]]
    return [dict(zip(names, row, strict=True)) for row in answer.json["rows"]]


def assert_the_sql_gives_the_same(client, watched):
    for key, drift in watched["drift"].items():
        found = ask(client, check(watched, key)["sql"])
        told = [each for each in drift["bins"] if each["live"] or each["training"]]
        assert [row["bin"] for row in found] == [each["bin"] for each in told]
        assert [row["live"] for row in found] == [each["live"] for each in told]
        if drift["rows"]:
            assert found[0]["psi"] == pytest.approx(drift["psi"], abs=1e-6)
    for each in watched["checks"]:
        found = ask(client, each["sql"])
        if each["group"] == "missing":
            name = each["check"].removeprefix("missing.")
            assert found[0][name] == watched["missing"][name]
        if each["group"] == "novelty":
            assert (found[0]["novel"], found[0]["checked"]) == (
                watched["novelty"]["novel"],
                watched["novelty"]["of"],
            )
        if each["group"] == "labels":
            assert sum(row["predictions"] for row in found) == each["rows"]
        if each["group"] == "latency":
            assert found[0]["p99_ms"] == pytest.approx(each["value"], abs=1e-3)
            assert found[0]["requests"] == each["rows"]
        if each["group"] == "accuracy" and found[0]["mean_absolute_error"] is not None:
            assert found[0]["mean_absolute_error"] == pytest.approx(each["value"])
        elif each["group"] == "accuracy":
            assert found[0]["judged"] == each["rows"]


def test_the_sql_of_each_figure_passes_the_guard_and_gives_the_same(tiny, X):
    given = rows_of(X, 300) + rows_of(X.drop(columns="redshift"), 100)
    tiny.post("/predict", json=given)
    tiny.post("/predict?explain=false", json=rows_of(X, 50))

    assert_the_sql_gives_the_same(tiny, watch(tiny))


def test_values_on_an_edge_are_in_the_bin_below_it_in_sql_as_well(app, client):
    reference = app.extensions["sextant"].model.contract.reference
    edges = reference.inputs["u"].edges
    client.post("/predict", json=[{**OBJECT, "u": edge} for edge in edges])

    watched = watch(client)

    live = [each["live"] for each in watched["drift"]["in.u"]["bins"]]
    # Nobody lies below all training rows, one in each of nine bins, none above or missing.
    assert live == [0, *[1] * 9, 0, 0, 0]
    assert_the_sql_gives_the_same(client, watched)


def test_a_binary_model_with_integers_and_texts_is_watched(make_app, binary_model):
    client = make_app(model=binary_model.path).test_client()
    client.post("/predict", json=rows_of(binary_model.X_holdout, 400))
    calm = watch(client)
    unknown = binary_model.X_holdout.assign(**{"ring colour": "gré'\"en"})
    for _ in range(2):
        client.post("/predict", json=rows_of(unknown, 400))

    watched = watch(client)

    assert alarms(calm) == set()
    assert "in.ring colour" in alarms(watched)
    assert watched["drift"]["in.ring colour"]["bins"][-2] == {
        "bin": "any other",
        "live": 800,
        "training": 0.0,
        "adds": pytest.approx(watched["drift"]["in.ring colour"]["bins"][-2]["adds"]),
    }
    assert_the_sql_gives_the_same(client, watched)
    assert client.get("/monitor", headers=HTML).status_code == 200


def test_a_regression_is_watched_by_its_value_and_its_missing_inputs(make_app, regression_model):
    client = make_app(model=regression_model.path).test_client()
    client.post("/predict", json=rows_of(regression_model.X_holdout, 500))

    watched = watch(client)

    assert alarms(watched) == set()
    assert watched["drift"]["score.value"]["rows"] == 500
    assert check(watched, "missing.c")["known"] == pytest.approx(1 / 7, abs=0.01)
    assert not any(each["group"] == "labels" for each in watched["checks"])
    assert_the_sql_gives_the_same(client, watched)
    page = client.get("/monitor", headers=HTML)
    assert "score" in page.text


def test_the_mean_error_of_a_regression_is_held_against_the_holdout(make_app, regression_model):
    app = make_app(model=regression_model.path)
    client = app.test_client()
    rows = rows_of(regression_model.X_holdout, 300)
    answers = client.post("/predict", json=rows).json["predictions"]
    give(
        app.extensions["sextant"].log,
        *({"prediction_id": a["prediction_id"], "value": a["value"] + 50} for a in answers),
    )

    found = check(watch(client), "accuracy")

    assert (found["state"], found["rows"]) == ("alarm", 300)
    assert found["value"] == pytest.approx(50, rel=1e-4)
    page = client.get("/monitor", headers=HTML).text
    assert "Mean absolute error" in page
    assert_the_sql_gives_the_same(client, watch(client))


def test_wrong_answers_are_an_alarm_once_labels_say_so(make_app, model_path, X, y):
    app = make_app(model=model_path)
    client = app.test_client()
    answers = client.post("/predict", json=instances(X[:300])).json["predictions"]
    log = app.extensions["sextant"].log
    give(
        log,
        *(
            {"prediction_id": a["prediction_id"], "label": truth}
            for a, truth in zip(answers, y[:300], strict=True)
        ),
    )
    calm = watch(client)
    give(log, *({"prediction_id": a["prediction_id"], "label": "?"} for a in answers[:60]))

    found = watch(client)

    (name,) = (e["check"] for e in found["checks"] if e["group"] == "accuracy" and e["rows"])
    assert alarms(calm) == set()
    assert check(calm, name)["rows"] == 300
    assert name in alarms(found)
    assert check(found, name)["value"] == pytest.approx(check(calm, name)["value"] + 0.2, abs=0.02)
    assert_the_sql_gives_the_same(client, found)


def odd_model(path, *, with_training=True):
    """A model whose inputs bear odd names; one is constant, one never known in training."""
    rng = np.random.default_rng(0)
    names = ["a b", "c'd {}", "same", "x"]
    table = pd.DataFrame(rng.normal(size=(600, 4)).astype(np.float32), columns=names)
    table["same"] = np.float32(5)
    value = pd.Series(table["x"] * 2 + 1, name="y")
    fitted = LinearRegression().fit(table[:400], value[:400])
    train = {"X_train": table[:400], "y_train": value[:400]} if with_training else {}
    export_model(fitted, table[400:], value[400:], path, name="o'dd", version="1%20&", **train)
    return table


def test_odd_names_and_a_constant_that_becomes_another_are_watched(make_app, tmp_path):
    path = tmp_path / "odd.onnx"
    table = odd_model(path)
    client = make_app(model=path).test_client()
    client.post("/predict", json=rows_of(table, 400))
    calm = watch(client)
    client.post("/predict", json=rows_of(table.assign(same=4), 200))

    watched = watch(client)

    assert alarms(calm) == set()
    assert alarms(watched) == {"in.same", "novelty"}
    assert_the_sql_gives_the_same(client, watched)
    page = client.get("/monitor", headers=HTML)
    assert page.status_code == 200
    assert "c&#39;d {}" in page.text


def test_a_model_without_a_reference_says_so(make_app, tmp_path):
    path = tmp_path / "odd.onnx"
    table = odd_model(path, with_training=False)
    client = make_app(model=path).test_client()
    client.post("/predict", json=rows_of(table, 10))

    watched, page = watch(client), client.get("/monitor", headers=HTML).text

    assert (watched["drift"], watched["reference_rows"]) == ({}, None)
    assert "has no reference" in page
    assert "X_train" in page


def test_only_the_rows_of_the_served_version_count_and_the_others_are_named(
    make_app, tmp_path, model_path, regression_model, X
):
    database = tmp_path / "shared.duckdb"
    other = make_app(model=regression_model.path, database=database)
    other.test_client().post("/predict", json=rows_of(regression_model.X_holdout, 7))
    other.extensions["sextant"].log.close()
    app = make_app(model=model_path, database=database)
    client = app.test_client()
    client.post("/predict", json=rows_of(X, 30))
    log = app.extensions["sextant"].log
    # The same columns under another version: one table holds both.
    log.change(
        lambda connection: connection.execute(
            f"UPDATE {log.own.table.name} SET model_version = '0' WHERE instance < 10"
        )
    )

    served, older = watch(client), watch(client, version="0")

    assert served["traffic"]["predictions"] == 20
    assert served["others"] == [
        {"name": "tiny", "version": "0", "rows": 10},
        {"name": "depth", "version": "1", "rows": 7},
    ]
    assert older["traffic"]["predictions"] == 10
    assert_the_sql_gives_the_same(client, served)
    assert "is not served now" in client.get("/monitor?version=0", headers=HTML).text


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("last=yesterday", "last"),
        ("last=1h&from=2026-01-01", "last"),
        ("from=tomorrow", "from"),
        ("from=9999-01-01", "from"),
        ("from=2026-02-02&to=2026-02-01", "to"),
        ("to=0001-01-01T00:00%2B14:00", "to"),
        ("to=1969-01-01", "to"),
    ],
)
def test_a_window_that_is_none_is_named(client, query, name):
    as_json = client.get(f"/monitor?format=json&{query}")
    as_page = client.get(f"/monitor?{query}", headers=HTML)

    assert as_json.status_code == as_page.status_code == 400
    assert as_json.json["detail"].startswith(f"{name}=")
    assert 'role="alert"' in as_page.text


@pytest.mark.parametrize(
    "query",
    ["version='", "version=%00", "to=9999-12-31T23:59:59", "last=999999s", "from=0001-01-01"],
)
def test_odd_windows_are_answered(client, query):
    client.post("/predict", json=OBJECT)

    assert client.get(f"/monitor?format=json&{query}").status_code == 200
    assert client.get(f"/monitor?{query}", headers=HTML).status_code == 200


def test_empty_fields_of_the_form_are_left_out_of_the_address(client):
    answer = client.get("/monitor?from=&to=&last=7d&version=", headers=HTML)

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/monitor?last=7d"


def test_the_page_says_how_many_alarms_and_links_what_was_predicted(tiny, X):
    tiny.post("/predict", json=rows_of(X.assign(u=X["u"] + 2), 600))

    page = tiny.get("/monitor", headers=HTML).text

    n = len(watch(tiny)["alarms"])
    assert f"{n} alarms" in page
    assert "u drifts: PSI" in page
    assert "/predictions?from=" in page
    assert "/sql?q=" in page


def test_where_sql_is_closed_nothing_links_to_it(make_app, model_path, X):
    client = make_app(
        model=model_path,
        host="0.0.0.0",  # noqa: S104  # nothing listens
        open_to_all="predict,read",
    ).test_client()
    client.post("/predict", json=rows_of(X, 20))

    page = client.get("/monitor", headers=HTML)

    assert page.status_code == 200
    assert "/sql?q=" not in page.text


def test_pages_wait_for_their_turn(client, monkeypatch):
    monkeypatch.setattr(log_pages, "_PAGES", threading.BoundedSemaphore(1))
    monkeypatch.setattr(log_pages, "_PATIENCE_S", 0.01)
    with log_pages._PAGES:
        answer = client.get("/monitor")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_numbers_beyond_all_training_rows_are_in_the_outermost_bins(client):
    client.post("/predict", json=[{**OBJECT, "u": -3.4e38}, {**OBJECT, "u": 3.4e38}])

    watched = watch(client)

    live = [each["live"] for each in watched["drift"]["in.u"]["bins"]]
    assert (live[0], live[-2], sum(live)) == (1, 1, 2)
    assert all(math.isfinite(each["adds"]) for each in watched["drift"]["derived.u-g"]["bins"])
    assert_the_sql_gives_the_same(client, watched)


def test_the_last_day_is_looked_at_unless_told(client):
    window = watch(client)["window"]

    ends = [datetime.fromisoformat(window[name]) for name in ("from", "to")]
    assert ends[1] - ends[0] == timedelta(days=1)
    assert abs(ends[1] - datetime.now(UTC)) < timedelta(seconds=30)


@pytest.mark.slow
def test_a_model_of_many_classes_is_watched(make_app, tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(1200, 2)).astype(np.float32), columns=["a", "b"])
    kind = pd.Series([f"class {n}" for n in (rng.integers(0, 12, 1200))], name="kind")
    fitted = LogisticRegression().fit(table[:800], kind[:800])
    path = tmp_path / "many.onnx"
    export_model(
        fitted,
        table[800:],
        kind[800:],
        path,
        name="many",
        version="1",
        X_train=table[:800],
        y_train=kind[:800],
    )
    client = make_app(model=path).test_client()
    client.post("/predict", json=rows_of(table, 400))

    watched = watch(client)

    assert sum(name.startswith("score.") for name in watched["drift"]) == 12
    assert_the_sql_gives_the_same(client, watched)
