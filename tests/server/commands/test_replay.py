"""The stored inputs through another model: what is found, refused and said."""

import json
import re

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone

from export import export_model
from server.commands.run import run
from server.model import Model
from server.replaying import stored
from tests.server.commands.conftest import answers_of, rows_of
from tests.server.storage.test_truth import give, log_of


@pytest.fixture
def replay(monkeypatch, tmp_path):
    """Run the command in this process, on the log of `make_app`; return its code."""
    monkeypatch.setattr(stored, "PART_ROWS", 7)

    def call(model, *arguments):
        monkeypatch.setenv("SEXTANT_DATABASE", str(tmp_path / "predictions.duckdb"))
        return run(["replay", "--model", str(model), *map(str, arguments)])

    return call


@pytest.fixture(scope="session")
def other_penguins(binary_model, tmp_path_factory):
    """Another model with the inputs of the first, told half of the labels the wrong way round."""
    path = tmp_path_factory.mktemp("other") / "other.onnx"
    X, y = binary_model.X_holdout, binary_model.y_holdout  # the field's name
    wrong = y.where(np.arange(len(y)) % 2 == 0, y.map({"male": "female", "female": "male"}))
    fitted = clone(binary_model.pipeline).fit(X, wrong)
    given = {"name": "penguins", "version": "2", "target": "sex"}
    export_model(fitted, X, wrong, path, **given, X_train=X, y_train=wrong)
    return path


def fill(make_app, model, rows, labels=()):
    """Let a server answer the rows, store labels, and stop."""
    app = make_app(model=model)
    known = {feature.name for feature in Model(model).contract.features} | {"id"}
    body = [{name: value for name, value in row.items() if name in known} for row in rows]
    for first in range(0, len(body), 10):
        assert app.test_client().post("/predict", json=body[first : first + 10]).status_code == 200
    give(log_of(app), *labels)
    log_of(app).close()


def found_in(folder):
    return json.loads((folder / "replay.json").read_text())


def test_the_same_model_changes_nothing(binary_model, make_app, replay, tmp_path):
    fill(make_app, binary_model.path, rows_of(binary_model))

    code = replay(binary_model.path, "--max-changed", 0.2, "--to", tmp_path / "out")

    found = found_in(tmp_path / "out")
    assert code == 0
    assert (found["verdict"], found["rows"], found["changed"]) == ("safe", 30, 0)
    assert found["moved"]["max"] == 0
    assert pl.read_parquet(tmp_path / "out" / "changes.parquet").is_empty()


def test_few_rows_without_a_change_cannot_tell(binary_model, make_app, replay, capsys):
    fill(make_app, binary_model.path, rows_of(binary_model))

    assert replay(binary_model.path) == 3

    assert "too few rows to be sure" in capsys.readouterr().out


def test_what_changes_is_counted_and_listed(
    binary_model, other_penguins, make_app, replay, tmp_path
):
    rows = rows_of(binary_model)
    fill(make_app, binary_model.path, rows)

    code = replay(other_penguins, "--to", tmp_path / "out")

    before, _ = answers_of(binary_model.path, rows)
    after, _ = answers_of(other_penguins, rows)
    is_changed = before["label"] != after["label"]
    moved = np.abs(before["probabilities"] - after["probabilities"]).max(axis=1)
    found = found_in(tmp_path / "out")
    assert code == 2
    assert 0 < found["changed"] == is_changed.sum()
    assert sum(each["rows"] for each in found["changes"]) == 30
    assert found["moved"]["max"] == pytest.approx(moved.max())
    assert found["moved"]["mean"] == pytest.approx(moved.mean())
    changes = pl.read_parquet(tmp_path / "out" / "changes.parquet")
    wanted = [
        row["id"] for row, listed in zip(rows, is_changed | (moved > 0.1), strict=True) if listed
    ]
    assert sorted(changes["id"]) == sorted(wanted)
    assert changes["moved"].is_sorted(descending=True)


def test_the_truth_tells_which_way_it_changes(
    binary_model, other_penguins, make_app, replay, tmp_path
):
    rows = rows_of(binary_model)
    truth = binary_model.y_holdout.head(30).tolist()
    labels = [{"id": row["id"], "label": label} for row, label in zip(rows, truth, strict=True)]
    fill(make_app, binary_model.path, rows, labels[:20])

    replay(other_penguins, "--to", tmp_path / "out")

    was, now = (
        answers_of(path, rows)[0]["label"][:20] == truth[:20]
        for path in (binary_model.path, other_penguins)
    )
    judged = found_in(tmp_path / "out")["judged"]
    assert judged["rows"] == 20
    assert (judged["right_before"], judged["right_after"]) == (was.sum(), now.sum())
    assert (judged["won"], judged["lost"]) == ((~was & now).sum(), (was & ~now).sum())


def test_a_regression_is_told_in_its_own_unit(regression_model, make_app, replay, tmp_path):
    fill(make_app, regression_model.path, rows_of(regression_model))

    code = replay(regression_model.path, "--to", tmp_path / "out")

    found = found_in(tmp_path / "out")
    assert (code, found["verdict"]) == (0, "safe")
    assert found["moved"]["max"] == 0
    assert found["changed"] is None
    assert found["sets"]["changed"] == 0


def test_a_model_with_other_inputs_is_refused_by_name(
    binary_model, regression_model, make_app, replay, capsys
):
    fill(make_app, binary_model.path, rows_of(binary_model))

    assert replay(regression_model.path) == 1

    told = capsys.readouterr().err
    assert "it takes a, which the log has not" in told
    assert "it does not take island, which the log has" in told
    assert "it gives a value, and the log has labels" in told


def test_only_what_was_asked_for_is_replayed(binary_model, make_app, replay, tmp_path):
    fill(make_app, binary_model.path, rows_of(binary_model))
    rows = {}

    for name, arguments in {
        "limit": ("--limit", 11),
        "version": ("--version", "1"),
        "since": ("--since", "2000-01-01T00:00:00+01:00"),
    }.items():
        replay(binary_model.path, *arguments, "--to", tmp_path / name)
        rows[name] = found_in(tmp_path / name)["rows"]
    nothing = replay(binary_model.path, "--until", "2000-01-01")

    assert rows == {"limit": 11, "version": 30, "since": 30}
    assert nothing == 3


def test_a_server_that_runs_is_asked(binary_model, start_server, replay, tmp_path, capsys):
    server = start_server(model=binary_model.path, query_max_rows=25)
    rows = [{k: v for k, v in row.items() if k != "note"} for row in rows_of(binary_model)]
    assert server.post("/predict", rows)[0] == 200

    replay(binary_model.path, "--url", server.url, "--to", tmp_path / "out")

    assert found_in(tmp_path / "out")["rows"] == 30
    assert server.url in capsys.readouterr().out


def test_the_page_is_whole_and_links_to_predictions(
    binary_model, other_penguins, make_app, replay, browser, tmp_path
):
    fill(make_app, binary_model.path, rows_of(binary_model))
    replay(other_penguins, "--url", "http://127.0.0.1:9", "--to", tmp_path / "out")
    asked = []

    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "out" / "replay.html").as_uri())

    assert page.get_by_text("Safe to switch? Not safe.").is_visible()
    link = page.get_by_role("region", name="Examples").get_by_role("link").first
    assert re.fullmatch(
        r"http://127\.0\.0\.1:9/predictions/[0-9a-f-]{36}", link.get_attribute("href")
    )
    assert asked == [(tmp_path / "out" / "replay.html").as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()
