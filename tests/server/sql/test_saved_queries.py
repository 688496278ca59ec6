"""The saved queries fit any log, or say why they do not."""

import json

import pytest

from server.sql.functions import ALLOWED
from server.sql.saved_queries import SavedQueries
from tests.server.conftest import OBJECT, ROOT

FOLDER = ROOT / "server" / "sql" / "queries"
NAMES = sorted(path.name for path in FOLDER.glob("*.sql"))
# Only a regression answers a value, and only a classifier a label.
OF_LABELS = {"label", "probabilities", "prediction_set"}


def ask(client, name):
    query = (FOLDER / name).read_text()
    given = {"label": "STAR"} if "$label" in query else {}
    return client.get("/sql.json", query_string={"q": query, **given})


def missing(answer):
    """Return the column that is not there, if that is what `answer` says."""
    told = answer.json.get("detail", "")
    return told.split('"')[1] if "Referenced column" in told else None


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_on_the_log_of_a_classifier(client, name):
    client.post("/predict", json=[{**OBJECT, "id": "a"}, {**OBJECT, "u": 30, "id": "a"}])

    answer = ask(client, name)

    assert answer.status_code == 200 or missing(answer) in ("value", "novelty", "prediction_set")


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_on_the_log_of_a_regression(make_app, regression_model, name):
    client = make_app(model=regression_model.path).test_client()
    rows = json.loads(regression_model.X_holdout.head(5).to_json(orient="records"))
    assert client.post("/predict", json=rows).status_code == 200

    answer = ask(client, name)

    assert answer.status_code == 200 or missing(answer) in OF_LABELS | {"novelty"}


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_on_an_empty_log(client, name):
    answer = ask(client, name)

    assert answer.status_code == 200 or missing(answer)


def test_each_has_a_title_of_its_own(app):
    saved = app.extensions["sextant-sql"].saved.all()

    assert len({query.title for query in saved}) == len(NAMES)
    assert all(query.title and not query.title.startswith("SELECT") for query in saved)


def test_one_that_does_not_fit_says_why(app, tmp_path):
    (tmp_path / "a.sql").write_text("-- Wrong\nSELECT nothing FROM predictions")
    (tmp_path / "b.sql").write_text("-- Forbidden\nSELECT getenv('HOME')")

    wrong, forbidden = SavedQueries(app.extensions["sextant-sql"].queries, tmp_path).all()

    assert 'Referenced column "nothing" not found' in wrong.misfit
    assert forbidden.misfit == "the function getenv is not available here"


def test_no_function_is_listed_twice():
    assert all(name == name.casefold() for name in ALLOWED)
