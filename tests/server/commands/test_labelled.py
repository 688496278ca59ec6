"""The labelled part of the log as a table to train on."""

import polars as pl
import pytest
from sklearn.base import clone

from server.commands import labelled
from server.commands.run import run
from tests.server.commands.conftest import rows_of
from tests.server.commands.test_replay import fill


@pytest.fixture
def exported(monkeypatch, tmp_path):
    """Run the command in this process; return the table it wrote."""
    monkeypatch.setattr(labelled, "PART_ROWS", 7)

    def call(model):
        monkeypatch.setenv("SEXTANT_DATABASE", str(tmp_path / "predictions.duckdb"))
        monkeypatch.setenv("SEXTANT_MODEL", str(model))
        to = tmp_path / "out" / "labelled.parquet"
        assert run(["export", "--with-labels", "--to", str(to)]) == 0
        assert [path.name for path in to.parent.iterdir()] == [to.name]
        return pl.read_parquet(to)

    return call


def test_a_pipeline_is_fitted_from_what_was_labelled(binary_model, make_app, exported):
    rows = rows_of(binary_model, 100)
    truth = binary_model.y_holdout.head(100).tolist()
    labels = [{"id": row["id"], "label": label} for row, label in zip(rows, truth, strict=True)]
    fill(make_app, binary_model.path, rows, labels[:60])

    table = exported(binary_model.path).to_pandas()

    assert table["sex"].tolist() == truth[:60]
    assert list(table.columns) == [*binary_model.X_holdout.columns, "sex"]
    X, y = table.drop(columns="sex"), table["sex"]  # the field's name
    assert clone(binary_model.pipeline).fit(X, y).score(X, y) > 0.7


def test_a_regression_has_its_true_values(regression_model, make_app, exported):
    rows = rows_of(regression_model, 20)
    labels = [{"id": row["id"], "value": 1.5 * k} for k, row in enumerate(rows)]
    fill(make_app, regression_model.path, rows, labels)

    table = exported(regression_model.path)

    assert table["depth"].to_list() == [1.5 * k for k in range(20)]
    assert table["c"].null_count() == sum(row["c"] is None for row in rows)


def test_without_a_label_there_are_no_rows(binary_model, make_app, exported):
    fill(make_app, binary_model.path, rows_of(binary_model, 3))

    table = exported(binary_model.path)

    assert table.is_empty()
    assert "sex" in table.columns
