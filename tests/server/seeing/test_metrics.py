import re
import shutil
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.seeing.verdicts import Verdicts
from server.storage import open_log
from server.storage.tasks import LogUnavailable
from tests.server.conftest import OBJECT, ROOT
from tests.server.seeing.test_refreshed import wait_for

STAR = {**OBJECT, "redshift": -8.96e-06}
ALL = ("u", "g", "r", "i", "z", "redshift")
# Far from anything in the training rows.
STRANGE = {"u": 23, "g": 22, "r": 21.4, "i": 21.1, "z": 21, "redshift": None}


def samples(client):
    """Return what /metrics says, by name and labels, once the writer has nothing more to tell."""
    writer = client.application.extensions["sextant"].log._writer
    while writer._commit_began is not None:
        time.sleep(0.001)
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_every_request_is_counted_by_what_fits_it(client):
    client.post("/predict", json=STAR)
    client.post("/predict", json=[STAR, STAR])
    client.post("/predict", json={})
    client.get("/nowhere/1237648720693755918")
    client.open("/", method="BREW")
    client.get("/predictions/01a200ef-93df-7d68-8ffe-178975ab2c7a")
    client.head("/predictions.csv", buffered=True)
    client.get("/predictions.csv", buffered=True)
    client.get("/static/style.css", buffered=True)

    found = samples(client)

    count = "http_server_request_duration_seconds_count"
    assert {key[1:]: value for key, value in found.items() if key[0] == count} == {
        ("/predict", "200", "POST"): 2,
        ("/predict", "422", "POST"): 1,
        ("(unmatched)", "404", "GET"): 1,
        ("(unmatched)", "405", "_OTHER"): 1,
        ("/predictions/<uuid:prediction_id>", "404", "GET"): 1,
        ("/predictions.<any(csv, ndjson, parquet):form>", "200", "GET"): 1,
        ("/predictions.<any(csv, ndjson, parquet):form>", "200", "HEAD"): 1,
        ("/static/<path:filename>", "200", "GET"): 1,
    }


def test_what_the_model_said_is_counted(client):
    client.post("/predict", json=[STAR, STAR, STRANGE])
    client.post("/predict?explain=false", json=[STRANGE, STAR])
    client.post("/predict", json=STRANGE)

    found = samples(client)

    labels = {key[1]: n for key, n in found.items() if key[0] == "model_predictions_total"}
    assert sum(labels.values()) == 6
    assert labels["STAR"] >= 3
    assert set(labels) == {"GALAXY", "QSO", "STAR"}
    assert found["model_novelty_checked_total",] == 4
    assert found["model_novelty_outside_total",] == 2
    assert found["model_novel_predictions_total", "u"] == 2
    assert found["model_novel_predictions_total", "redshift"] == 0
    assert found["model_missing_inputs_total", "redshift"] == 3
    assert found["model_inference_seconds_count",] == 3
    assert found["prediction_log_group_rows_sum",] == 6


def test_what_was_not_stored_is_not_counted_as_predicted(client, app, monkeypatch):
    def refuse(*_, **__):
        raise LogUnavailable("too many predictions wait to be stored")

    monkeypatch.setattr(app.extensions["sextant"].log, "hand_in", refuse)
    answer = client.post("/predict", json=STAR)

    found = samples(client)

    assert answer.status_code == 503
    assert re.search(r"answer;dur=[0-9.]+, total", answer.headers["Server-Timing"])
    assert found["model_predictions_total", "STAR"] == 0
    assert found["http_server_request_duration_seconds_count", "/predict", "503", "POST"] == 1


def test_a_regression_has_no_labels(make_app, regression_model):
    client = make_app(model=regression_model.path).test_client()
    client.post("/predict", json=[{"a": 0, "b": 1, "c": None}, {"a": 0, "b": 1, "c": 3}])
    client.post("/predict", json={"a": 0, "b": 1})

    found = samples(client)

    assert found["model_predictions_total",] == 3
    assert found["model_missing_inputs_total", "c"] == 2


def test_names_that_are_odd_are_labels_like_others(make_app, binary_model):
    client = make_app(model=binary_model.path).test_client()
    row = {"body_mass": 1e9, "age": 3, "island": "Dream", "ring colour": "green"}
    assert client.post("/predict", json=[row, row]).status_code == 200

    found = samples(client)

    assert sum(n for key, n in found.items() if key[0] == "model_predictions_total") == 2
    assert found["model_novel_predictions_total", "numbers__body_mass"] == 2
    assert found["model_novel_predictions_total", "rings__ring colour_blue"] == 0


def test_two_apps_count_for_themselves(make_app, tmp_path):
    first = make_app().test_client()
    second = make_app(database=tmp_path / "second.duckdb").test_client()

    first.post("/predict", json=STAR)

    assert samples(first)["prediction_log_commit_seconds_count",] == 1
    assert samples(second)["prediction_log_commit_seconds_count",] == 0


def test_what_the_writer_does_is_timed(client, app, monkeypatch):
    log = app.extensions["sextant"].log
    # A reader at the same time would keep DuckDB from shortening its write-ahead log.
    app.extensions["sextant"].seeing.gauges.verdicts = Verdicts
    client.post("/predict", json=STAR)
    before = samples(client)

    monkeypatch.setattr(open_log, "_WAL_BYTES", 1_000)
    client.post("/predict", json=[STAR])
    # The checkpoint comes after the answer, and before this.
    log.change(lambda connection: connection.execute("SELECT 1").fetchall())

    found = samples(client)
    assert before["prediction_log_wal_bytes",] > 1_000 > found["prediction_log_wal_bytes",]
    assert found["prediction_log_change_seconds_count",] == 1
    assert found["prediction_log_commit_seconds_count",] == 2
    assert found["prediction_log_checkpoint_seconds_count",] == 1
    assert found["prediction_log_database_bytes",] > before["prediction_log_database_bytes",]


def test_a_full_queue_and_a_broken_log_are_told_apart(make_app, monkeypatch):
    app = make_app(max_instances=2, max_waiting_rows=2)
    client, log = app.test_client(), app.extensions["sextant"].log
    monkeypatch.setattr(log._writer._log, "commit", lambda _: 1 / 0)
    client.post("/predict", json=[STAR, STAR])
    log._writer._waiting_rows += 1

    client.post("/predict", json=[STAR, STAR])

    found = samples(client)
    assert found["prediction_log_unstored_rows_total", "commit_failed"] == 2
    assert found["prediction_log_unstored_rows_total", "queue_full"] == 2
    assert found["prediction_log_queue_rows",] == 1
    assert found["server_ready",] == 0


def test_the_drift_of_each_input_is_told_once_it_is_known(client, app):
    gauges = app.extensions["sextant"].seeing.gauges
    client.post("/predict", json=[STAR] * 3_000)
    assert ("model_input_drift_psi", "u") not in samples(client)
    wait_for(lambda: gauges.verdicts().drift)

    found = samples(client)

    told = client.get("/monitor?last=24h&format=json").json
    alarms = {alarm["check"] for alarm in told["alarms"]}
    assert alarms == {key[1] for key, n in found.items() if key[0] == "monitor_alarm" and n == 1}
    assert {key[1] for key in found if key[0] == "model_input_drift_psi"} == set(ALL)
    assert found["model_input_drift_psi", "u"] > 0.25


def test_what_too_few_rows_say_is_not_told(client, app):
    gauges, times = app.extensions["sextant"].seeing.gauges, []
    judge = gauges.verdicts._compute
    gauges.verdicts._compute = lambda: times.append(1) or judge()
    client.post("/predict", json=[STAR])
    client.get("/metrics")
    wait_for(lambda: times and not gauges.verdicts._is_running)

    found = samples(client)

    names = {name for name, *_ in found}
    assert "model_input_drift_psi" not in names
    assert "monitor_alarm" not in names


def test_an_input_may_have_any_name(client, app):
    app.extensions["sextant"].seeing.gauges.verdicts = lambda: Verdicts({'odd "name"\n{}': 0.5}, {})

    assert samples(client)["model_input_drift_psi", 'odd "name"\n{}'] == 0.5


def test_who_asks_for_openmetrics_gets_them_with_the_trace_of_a_request(client):
    trace = "0af7651916cd43dd8448eb211c80319c"
    client.post("/predict", json=STAR, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})

    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})

    assert answer.content_type.startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    assert f'# {{trace_id="{trace}"}}' in answer.text


def test_the_documents_name_every_metric_with_its_type_and_labels(client):
    client.post("/predict", json=STAR)
    gauges = client.application.extensions["sextant"].seeing.gauges
    gauges.verdicts = lambda: Verdicts({"u": 0.5}, {"in.u": True})
    rows = re.findall(
        r"^\| `([a-z_]+)` \| (\w+) \|([^|]*)\| .+ \|$",
        (ROOT / "docs" / "seeing.md").read_text(),
        re.MULTILINE,
    )
    documented = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}

    client.get("/")
    found = {
        family.name + "_total" * (family.type == "counter"): (
            family.type,
            {label for sample in family.samples for label in sample.labels} - {"le"},
        )
        for family in text_string_to_metric_families(client.get("/metrics").text)
    }

    assert documented == found


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_nothing_to_say_of_the_names(client):
    client.post("/predict", json=STAR)

    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=client.get("/metrics").text,
        capture_output=True,
        text=True,
    )

    assert checked.stdout + checked.stderr == ""
    assert checked.returncode == 0
