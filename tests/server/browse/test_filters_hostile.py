"""Filters of a log whose model, or whose visitor, is out to break them."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from export import export_model
from server.browse.filters import read_filter
from server.storage.fields import find_sources
from tests.server.conftest import OBJECT, listed_ids

ROWS = [{**OBJECT, "id": str(number)} for number in range(3)]
NOW = datetime(2026, 11, 22, 12)


@pytest.fixture(scope="module")
def filled(filled_with):
    return filled_with(ROWS)


@pytest.fixture(scope="module")
def odd_model(tmp_path_factory):
    """A model whose names mean something to addresses and to SQL."""
    rng = np.random.default_rng(0)
    names = ["a.b", "in.x", "it's", "sp ace", "u; DROP TABLE x --", "p", "ü&=%2B+#?"]
    X = pd.DataFrame(rng.normal(size=(600, len(names))).astype(np.float32), columns=names)
    classes = np.array(["it's", "null", "x*", "=y", "a..b"])
    y = pd.Series(classes[np.digitize(X["a.b"], [-1, -0.3, 0.3, 1])], name="kind")
    fitted = LogisticRegression(max_iter=500).fit(X[:400], y[:400])
    path = tmp_path_factory.mktemp("odd") / "odd.onnx"
    export_model(
        fitted, X[400:], y[400:], path, name="odd", target="kind", X_train=X[:400], y_train=y[:400]
    )
    return path


HOSTILE = [
    "' OR '1'='1",
    "1) OR (1=1",
    '"; DROP TABLE predictions; --',
    "%' OR 1=1 --",
    "\x00",
    "a\nb",
    "\\",
    "?",
    "$1",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "🔭" * 500,
    "x" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["id", "label", "out.head", "version", "in.u", "novelty", "p"])
def test_what_is_hostile_finds_nothing(filled, name, text):
    answer = filled.get("/predictions", query_string={name: text})

    assert answer.status_code == 400 or answer.json["predictions"] == []
    assert len(listed_ids(filled)) == len(ROWS)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_no_name(filled, text):
    for query in (
        {f"in.{text}": "1"},
        {f"p.{text}": "1"},
        {f"out.{text}": "1"},
        {"sort": text},
        {"sort": f"-in.{text}"},
        {"x": f"in.{text}", "y": "in.u"},
    ):
        assert filled.get("/predictions", query_string=query).status_code == 400
    for query in ({"novelty": f"of.{text}"}, {"warnings": f"of.{text}"}):
        assert filled.get("/predictions", query_string=query).json["predictions"] == []
    assert filled.get("/predictions", query_string={"col": text}).status_code == 200


def test_any_name_of_a_model_can_be_asked_for(make_app, odd_model):
    client = make_app(model=odd_model).test_client()
    names = [feature["name"] for feature in client.get("/model").json["features"]]
    sent = [dict.fromkeys(names, value / 10) | {"id": str(value)} for value in range(-20, 20)]
    answers = client.post("/predict", json=sent).json["predictions"]

    for name in names:
        found = client.get("/predictions", query_string={f"in.{name}": "1..1.5", "sort": "time"})
        assert [row["id"] for row in found.json["predictions"]] == [str(n) for n in range(10, 16)]
        page = client.get(
            "/predictions",
            query_string={"x": f"in.{name}", "y": "p", "view": "pictures"},
            headers={"Accept": "text/html"},
        )
        assert page.status_code == 200
    for label in {each["label"] for each in answers}:
        expected = [each["id"] for each in answers if each["label"] == label]
        found = client.get("/predictions", query_string={"label": f"={label}", "sort": "time"})
        assert [row["id"] for row in found.json["predictions"]] == expected
        assert client.get("/predictions", query_string={f"p.{label}": "0..1"}).status_code == 200


def test_values_never_stand_in_the_sql(filled):
    with filled.application.extensions["sextant"].log.reading() as snapshot:
        sources = find_sources(snapshot.cursor, {})
        given = {"id": ["secret'", "pre*"], "label": ["=secret"], "in.u": ["7..8"]}
        given |= {"novelty": ["of.secret"], "warnings": ["of.secret"], "from": ["2026-11-22"]}
        term = read_filter(given, sources, NOW).where(sources[0])

    assert not {"secret", "pre", "7", "2026"} & set(term.sql.replace("(", " ").split())
    assert "secret" not in term.sql
    assert "secret'" in term.values
