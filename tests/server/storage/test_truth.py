"""The views over given labels: what is matched, what is current, and one truth a prediction."""

import re
from datetime import datetime, timedelta

import duckdb
import pytest

from server.storage.database import LogUnusable
from server.storage.truth import LABELS
from tests.server.conftest import OBJECT

JUDGED = [
    *("prediction_id", "id", "predicted_at", "model_name", "model_version", "label", "value"),
    *("probability", "probabilities", "truth", "true_value", "is_correct", "error"),
    *("observed_at", "given_by", "labelled_at"),
]
NOON = datetime(2026, 11, 22, 12)


def log_of(app):
    return app.extensions["sextant"].log


def give(log, *labels):
    """Store labels as they are, one a second from noon on."""

    def insert(connection):
        for number, label in enumerate(labels):
            given = {"received_at": NOON + timedelta(seconds=number)} | label
            connection.execute(
                f"INSERT INTO given_labels ({', '.join(given)}) "
                f"VALUES ({', '.join('?' * len(given))})",
                list(given.values()),
            )

    log.change(insert)


def ask(log, sql):
    with log.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def predict(client, **given):
    return client.post("/predict", json={**OBJECT, **given}).json


def test_the_table_has_the_columns_that_are_agreed(app):
    columns = ask(
        log_of(app),
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'given_labels'",
    )

    assert dict(columns) == LABELS


def test_the_views_have_their_columns_before_there_is_a_row(app):
    with log_of(app).cursor() as cursor:
        judged = cursor.execute("FROM judged").description
        labels = cursor.execute("FROM labels").description

    assert [name for name, *_ in judged] == JUDGED
    assert [name for name, *_ in labels] == [*LABELS, "is_matched", "is_current"]


@pytest.mark.parametrize("key", ["prediction_id", "id"])
def test_a_label_meets_its_prediction_by_either_id(app, key):
    answer = predict(app.test_client(), id="a")

    give(log_of(app), {key: answer[key], "label": "QSO"})

    assert ask(log_of(app), "SELECT label, truth, is_correct, probability FROM judged") == [
        (answer["label"], "QSO", False, pytest.approx(max(answer["probabilities"].values())))
    ]
    assert ask(log_of(app), "SELECT is_matched, is_current FROM labels") == [(True, True)]


def test_a_label_waits_for_its_prediction(app):
    give(log_of(app), {"id": "later", "label": "STAR"})
    before = ask(log_of(app), "SELECT is_matched FROM labels")

    predict(app.test_client(), id="later")

    assert before == [(False,)]
    assert ask(log_of(app), "SELECT is_matched FROM labels") == [(True,)]
    assert ask(log_of(app), "SELECT id, truth FROM judged") == [("later", "STAR")]


@pytest.mark.parametrize("keys", [("id", "prediction_id"), ("prediction_id", "id")])
def test_the_last_one_stored_wins_whichever_id_it_names(app, keys):
    answer = predict(app.test_client(), id="a")
    labels = [
        {keys[0]: answer[keys[0]], "label": "QSO"},
        {keys[1]: answer[keys[1]], "label": "STAR"},
    ]

    give(log_of(app), *labels, *labels)

    assert ask(log_of(app), "SELECT truth FROM judged") == [("STAR",)]
    assert ask(log_of(app), "SELECT label, is_current FROM labels ORDER BY received_at") == [
        ("QSO", False),
        ("STAR", False),
        ("QSO", True),
        ("STAR", True),
    ]


def test_the_last_one_wins_though_the_clock_stepped_back(app):
    predict(app.test_client(), id="a")

    give(
        log_of(app),
        {"id": "a", "label": "QSO"},
        {"id": "a", "label": "STAR", "received_at": NOON - timedelta(days=1)},
    )

    assert ask(log_of(app), "SELECT truth FROM judged") == [("STAR",)]


def test_one_id_of_many_predictions_labels_each(app):
    for _ in range(3):
        predict(app.test_client(), id="a")
    predict(app.test_client(), id="b")
    predict(app.test_client())

    give(log_of(app), {"id": "a", "label": "QSO"})

    assert ask(log_of(app), "SELECT id, count(*) FROM judged GROUP BY id") == [("a", 3)]
    assert ask(log_of(app), "SELECT count(*) FROM labels") == [(1,)]


def test_a_classifier_and_a_regression_keep_their_truths_apart(make_app, regression_model):
    first = make_app()
    predict(first.test_client(), id="a")
    log_of(first).close()
    app = make_app(model=regression_model.path)
    answer = app.test_client().post("/predict", json={"a": 0, "b": 0, "c": 0, "id": "a"}).json

    give(
        log_of(app),
        {"id": "a", "label": "QSO"},
        {"id": "a", "value": 40.5},
        {"id": "b", "value": 1},
    )

    assert ask(log_of(app), "SELECT truth, true_value, error FROM judged ORDER BY truth") == [
        ("QSO", None, None),
        (None, 40.5, pytest.approx(answer["value"] - 40.5, abs=1e-5)),
    ]
    assert ask(log_of(app), "SELECT value, is_matched, is_current FROM labels ORDER BY value") == [
        (1, False, True),
        (40.5, True, True),
        (None, True, True),
    ]


def test_a_label_of_the_other_kind_meets_nothing(app):
    predict(app.test_client(), id="a")

    give(log_of(app), {"id": "a", "value": 1.5})

    assert ask(log_of(app), "FROM judged") == []
    assert ask(log_of(app), "SELECT is_matched FROM labels") == [(False,)]


def test_a_log_of_before_there_were_labels_gets_them(make_app, tmp_path):
    app = make_app()
    predict(app.test_client(), id="a")
    log_of(app).close()
    with duckdb.connect(tmp_path / "predictions.duckdb") as old:
        old.execute("DROP VIEW labels")
        old.execute("DROP VIEW judged")
        old.execute("DROP TABLE given_labels")

    give(log_of(make_app()), {"id": "a", "label": "QSO"})


def test_a_table_of_that_name_that_is_not_ours_stops_the_start(make_app, tmp_path):
    log_of(make_app()).close()
    with duckdb.connect(tmp_path / "predictions.duckdb") as old:
        old.execute("DROP VIEW labels")
        old.execute("DROP TABLE given_labels")
        old.execute("CREATE TABLE labels (label VARCHAR)")

    with pytest.raises(LogUnusable, match="another program"):
        make_app()


def test_labels_outlive_a_second_start(make_app):
    app = make_app()
    predict(app.test_client(), id="a")
    give(log_of(app), {"id": "a", "label": "QSO"})
    log_of(app).close()

    assert ask(log_of(make_app()), "SELECT truth FROM judged") == [("QSO",)]


def test_what_is_judged_is_found_by_hash_joins(app):
    for number in range(20):
        predict(app.test_client(), id=str(number))
    give(log_of(app), *({"id": str(number), "label": "QSO"} for number in range(10)))

    plans = [
        ask(log_of(app), f"EXPLAIN SELECT {what}")[0][1].lower()
        for what in ("avg(is_correct::INTEGER) FROM judged", "count_if(is_matched) FROM labels")
    ]

    for plan in plans:
        joins = re.findall(r"─ ([a-z_ ]*join|cross product) ", plan)
        assert set(joins) == {"hash join"}, plan
