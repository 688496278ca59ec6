"""One view holds what models of every kind said, whatever they call by one name."""

import duckdb
import pytest

from tests.server.conftest import OBJECT

PENGUIN = {"body_mass": 4200.5, "age": 3, "island": "Dream", "ring colour": "blue"}


@pytest.fixture
def database(make_app, binary_model, tmp_path):
    """The log of a model with one score a class and of one with a single score."""
    for settings, instance in (({}, OBJECT), ({"model": binary_model.path}, PENGUIN)):
        app = make_app(**settings)
        assert app.test_client().post("/predict", json=instance).status_code == 200
        app.extensions["sextant"].log.close()
    with duckdb.connect(str(tmp_path / "predictions.duckdb")) as connection:
        yield connection


def test_rows_with_one_score_and_with_many_are_read_together(database):
    found = database.execute("SELECT model_name, base_values FROM predictions").fetchall()

    kinds = {name: text[:1] == "{" for name, text in found}
    assert kinds == {"sdss": True, "penguins": False}


def test_parts_of_what_is_told_in_two_ways_are_asked_for_by_name(database):
    found = database.execute(
        "SELECT base_values.QSO::FLOAT, photometric_base_values.QSO FROM predictions "
        "WHERE model_name = 'sdss'"
    ).fetchone()

    # The redshift was missing, so that both heads say the same.
    assert found[0] == found[1]


def test_what_goes_together_keeps_its_type(database):
    types = dict(
        database.execute("SELECT column_name, column_type FROM (DESCRIBE predictions)").fetchall()
    )

    assert types["base_values"] == "JSON"
    assert types["contributions"].startswith("STRUCT")
    assert types["probabilities"].startswith("STRUCT")
    assert types["prediction_set"] == types["novelty"] == "VARCHAR[]"
