import threading
import time
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from server import kept_answers
from server.storage.open_log import OpenLog
from tests.server.conftest import OBJECT


def post(client, key, content=OBJECT, query=""):
    return client.post(f"/predict{query}", json=content, headers={"Idempotency-Key": key})


def log_of(app):
    return app.extensions["sextant"].log


def count(app, table="predictions"):
    with log_of(app).cursor() as cursor:
        return cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.mark.parametrize("content", [OBJECT, [OBJECT] * 3, [{**OBJECT, "id": "x"}] * 600])
def test_a_request_sent_again_gets_its_answer_again_and_is_stored_once(app, client, content):
    first = post(client, '"k"', content, "?explain=true")
    again = post(client, "k", content, "?explain=true")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.data == first.data
    assert again.headers.get("Location") == first.headers.get("Location")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert count(app) == (1 if content is OBJECT else len(content))


def test_a_key_answers_after_a_restart(make_app):
    app = make_app()
    first = post(app.test_client(), "k")
    log_of(app).close()

    app = make_app()
    again = post(app.test_client(), "k")

    assert again.data == first.data
    assert count(app) == 1


def test_a_key_answers_as_its_model_did_when_another_is_served(make_app, regression_model):
    app = make_app()
    first = post(app.test_client(), "k")
    log_of(app).close()

    app = make_app(model=regression_model.path)
    again = post(app.test_client(), "k")

    assert again.data == first.data


@pytest.mark.parametrize(
    ("content", "query"), [({**OBJECT, "u": 18}, ""), ([OBJECT], ""), (OBJECT, "?explain=false")]
)
def test_a_key_of_another_request_is_refused(app, client, content, query):
    post(client, "k")

    answer = post(client, "k", content, query)

    assert answer.status_code == 422
    assert "a key of its own" in answer.json["detail"]
    assert count(app) == 1


def test_a_malformed_key_is_refused_and_nothing_is_stored(app, client):
    answer = post(client, "a, b")

    assert answer.status_code == 400
    assert answer.json["detail"].startswith("Idempotency-Key: ")
    assert count(app) == 0


def test_a_request_that_was_refused_may_be_mended_under_its_key(app, client):
    assert post(client, "k", {**OBJECT, "u": "?"}).status_code == 422

    assert post(client, "k").status_code == 200
    assert count(app) == 1


def test_requests_without_a_key_leave_no_trace_in_the_table_of_keys(app, client):
    client.post("/predict", json=OBJECT)

    assert count(app, "idempotency_keys") == 0


def test_a_new_key_is_not_looked_up(app, client, monkeypatch):
    post(client, "one")
    monkeypatch.setattr(log_of(app), "reading", None)
    monkeypatch.setattr(log_of(app), "change", None)

    assert post(client, "two").status_code == 200


def test_a_key_whose_mark_is_anothers_is_looked_up_and_is_new(app, client, monkeypatch):
    monkeypatch.setattr(kept_answers, "_SLOTS", 1)
    answers = {post(client, key).json["prediction_id"] for key in "abc"}

    assert len(answers) == 3
    assert post(client, "b").json["prediction_id"] in answers
    assert count(app) == 3


def test_requests_of_one_key_at_once_are_one(app):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(app.test_client(), "k"), range(48)))

    assert {answer.data for answer in answers} == {answers[0].data}
    assert [answer.status_code for answer in answers] == [200] * 48
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert count(app) == 1


def stalled(monkeypatch):
    """Hold up every commit until the event that is returned is set."""
    go_on = threading.Event()
    commit = OpenLog.commit

    def wait_and_commit(self, group):
        go_on.wait(30)
        commit(self, group)

    monkeypatch.setattr(OpenLog, "commit", wait_and_commit)
    return go_on


def test_rows_that_were_late_are_not_stored_again(make_app, monkeypatch):
    app = make_app(commit_timeout_s=0.3)
    post(app.test_client(), "first")
    go_on = stalled(monkeypatch)

    late = post(app.test_client(), "k")
    still_late = post(app.test_client(), "k")
    go_on.set()
    again = post(app.test_client(), "k")

    assert [late.status_code, still_late.status_code, again.status_code] == [503, 503, 200]
    assert "unless both times the same Idempotency-Key named it" in late.json["detail"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert count(app) == 2


def test_who_asks_while_the_first_is_at_work_too_long_is_told_so(make_app, monkeypatch):
    app = make_app(commit_timeout_s=0.3)
    kept = app.extensions["sextant"].kept
    post(app.test_client(), "other")
    monkeypatch.setattr(kept, "_at_work", {"k"})

    answer = post(app.test_client(), "k")

    assert answer.status_code == 409
    assert answer.headers["Retry-After"] == "1"


def test_a_commit_that_failed_keeps_no_answer(app, client, monkeypatch):
    commit = OpenLog.commit

    def fail(*_):
        raise duckdb.IOException("no space")

    monkeypatch.setattr(OpenLog, "commit", fail)
    assert post(client, "k").status_code == 503
    monkeypatch.setattr(OpenLog, "commit", commit)

    answer = post(client, "k")

    assert answer.status_code == 200
    assert "Idempotent-Replayed" not in answer.headers
    assert count(app) == count(app, "idempotency_keys") == 1


def test_old_answers_are_pruned_and_their_keys_forgotten(make_app):
    app = make_app(idempotency_hours=0.001)
    kept = app.extensions["sextant"].kept
    kept._kept_s = 0.2
    client = app.test_client()
    first = post(client, "k")

    assert post(client, "k").data == first.data
    for _ in range(2):
        time.sleep(0.25)
        post(client, "other")

    assert count(app, "idempotency_keys") == 1
    assert post(client, "k").data != first.data
    assert count(app) == 4
