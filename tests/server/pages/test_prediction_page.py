"""The page of one prediction as text, for models and rows of every kind."""

import html
import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from export import export_model
from tests.server.conftest import OBJECT

FAINT = {"u": 23, "g": 22, "r": 15.94699, "i": 15.50342, "z": 15.22531}
PENGUIN = {"body_mass": 4200.5, "age": 3, "island": "Dream", "ring colour": "blue"}


@pytest.fixture
def page_of():
    """Predict and return the text of the page, without markup and with single spaces."""

    def page_of(client, instance, query=""):
        answer = client.post(f"/predict{query}", json=instance)
        assert answer.status_code == 200
        page = client.get(answer.headers["Location"], headers={"Accept": "text/html"})
        assert page.status_code == 200
        return text_of(page)

    return page_of


def text_of(page):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page.text)).split())


@pytest.fixture(scope="module")
def forest_model(tmp_path_factory):
    """A model that says nothing beside its answer."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(300, 2)).astype(np.float32), columns=["a", "b"])
    y = pd.Series(np.where(X["a"] > 0, "yes", "no"))
    fitted = RandomForestClassifier(3, max_depth=3, random_state=0).fit(X[:200], y[:200])
    path = tmp_path_factory.mktemp("forest") / "forest.onnx"
    export_model(fitted, X[200:], y[200:], path, name="forest", target="taste")
    return path


def test_a_page_says_what_is_ruled_out(client, page_of):
    text = page_of(client, {**OBJECT, "redshift": -8.96e-06})

    assert "STAR: GALAXY and QSO are ruled out at the level 99 %." in text
    assert "Nothing about this row is novel to the model." in text


def test_an_answer_that_is_itself_ruled_out_is_told_as_such(client, page_of):
    text = page_of(client, {**OBJECT, "redshift": 0.0})

    assert "GALAXY: QSO and STAR are ruled out at the level 99 %." in text
    assert "The answer, STAR, is among those ruled out" in text


def test_both_heads_are_drawn_where_they_differ(client, page_of):
    text = page_of(client, {**OBJECT, "redshift": 0.0})

    assert "spectroscopic: it answered" in text
    assert "photometric: what it alone says" in text


def test_a_second_head_that_answered_is_drawn_once(client, page_of):
    text = page_of(client, OBJECT)

    assert "photometric: this head answered, so there is nothing else to tell" in text
    assert text.count("base value") == 2
    assert "redshift missing" in text


def test_a_novel_row_is_named_with_all_that_is_novel(client, page_of):
    text = page_of(client, FAINT)

    assert "This row is unlike those the model was trained on." in text
    assert "g-r = 6.05301 lies outside" in text
    assert "u = 23 is above 19.6, the highest the model is meant for" in text
    assert "above all training rows, which end at 19.5999" in text


def test_a_row_asked_without_explanation_says_so(client, page_of):
    text = page_of(client, OBJECT, "?explain=false")

    assert "asked without explanation" in text
    assert "novel to the model" not in text
    assert "/predict?explain=false' " in text


def test_a_model_that_says_nothing_further_has_a_page(make_app, forest_model, page_of):
    text = page_of(make_app(model=forest_model).test_client(), {"a": 1.0, "b": 0.5})

    assert "Prediction yes" in text
    assert "The model does not say why" in text
    assert "explain=false" not in text


@pytest.mark.parametrize("mass", [2500.0, 6000.0])
def test_two_classes_are_told_for_the_one_predicted(make_app, binary_model, page_of, mass):
    client = make_app(model=binary_model.path).test_client()

    text = page_of(client, {**PENGUIN, "body_mass": mass})

    label = "male" if mass > 4500 else "female"
    assert f"+0.69 doubles the odds of {label}" in text
    assert re.search(r"numbers__body_mass = \S+ (g )?\+[0-9]", text)
    assert "as in " in text


def test_a_value_is_told_with_its_interval_and_unit(make_app, regression_model, page_of):
    client = make_app(model=regression_model.path).test_client()

    text = page_of(client, {"a": 1.0, "b": 0.5, "c": None})

    assert re.search(r"Between \S+ and \S+ m , which holds the truth", text)
    assert "c missing" in text


def test_a_row_of_another_model_is_told_without_the_served_ones_bounds(
    make_app, binary_model, tmp_path
):
    first = make_app(database=tmp_path / "one.duckdb")
    place = first.test_client().post("/predict", json=FAINT).headers["Location"]
    first.extensions["sextant"].log.close()
    client = make_app(database=tmp_path / "one.duckdb", model=binary_model.path).test_client()

    text = text_of(client.get(place, headers={"Accept": "text/html"}))

    assert "Another model answered this" in text
    assert "photometric: this head answered" in text
    assert "among the training rows" not in text
    assert "at the level" not in text
    assert "g-r" in text.partition("unlike those")[2][:100]


def test_the_command_asks_the_same_again(client):
    instance = {**OBJECT, "redshift": None, "id": "it's <b>"}
    place = client.post("/predict", json=instance).headers["Location"]

    text = client.get(place, headers={"Accept": "text/html"}).text

    command = html.unescape(re.search(r"-d '(.*?)'</code>", text)[1]).replace("'\\''", "'")
    assert json.loads(command) == instance
    assert "<b>" not in text


def test_a_wild_row_has_a_page(client, page_of):
    text = page_of(client, {**OBJECT, "u": 3e38, "g": -3e38, "redshift": -9999})

    assert "This row is unlike" in text
    assert "u-g" in text


def test_the_form_leads_to_the_page(client):
    answer = client.post("/", data=OBJECT)

    place = re.search(r'href="(/predictions/[0-9a-f-]{36})"', answer.text)[1]
    assert client.get(place).status_code == 200
    assert "pushes towards STAR" in text_of(answer)
    assert "nothing is ruled out" in text_of(answer) or "ruled out at the level" in text_of(answer)


def test_the_card_shows_what_the_model_did(client):
    text = text_of(client.get("/model", headers={"Accept": "text/html"}))

    for part in ("Confusion", "Importance", "Reliability", "Mean size", "flagged as novel"):
        assert part in text


def test_the_card_of_a_model_that_says_nothing_further_is_whole(make_app, forest_model):
    client = make_app(model=forest_model).test_client()

    text = text_of(client.get("/model", headers={"Accept": "text/html"}))

    assert "The model does not say why" in text
    assert "Importance" not in text
