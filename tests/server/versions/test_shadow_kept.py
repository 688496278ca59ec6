"""The shadow goes with the predictions it stands beside: by age, and by erasure."""

import polars as pl
import pytest

from tests.server.versions.conftest import ask, switch


@pytest.fixture
def shadowed(make_app, serving_file, penguins, tmp_path):
    """A client of a log with five old predictions, five of now, and the shadow of each."""
    app = make_app(model=serving_file, export_dir=tmp_path / "export")
    client = app.test_client()
    switch(client, "challenge", model="penguins/2", shadow=True)
    for rows in (penguins[:5], penguins[5:10]):
        assert client.post("/predict", json=rows).status_code == 200
    table = app.extensions["sextant"].lineup.champion.target.table
    for name in (table.name, table.shadow.name):
        app.extensions["sextant"].log.change(
            lambda writer, name=name: writer.execute(
                f"UPDATE {name} SET predicted_at = predicted_at - INTERVAL 2 DAY "
                "WHERE id IN (SELECT unnest($1::VARCHAR[]))",
                [[row["id"] for row in penguins[:5]]],
            )
        )
    return client


def counts(client):
    return [
        ask(client, f"SELECT count(*) FROM {view}")[0][0]
        for view in ("predictions", "shadow_predictions")
    ]


def test_by_age_it_is_exported_and_removed(shadowed, tmp_path, penguins):
    with shadowed.post("/prune", json={"days": 1}) as answer:
        told = answer.text

    assert counts(shadowed) == [5, 5]
    assert "removed: 5 rows of the shadow" in told
    exported = pl.read_parquet(tmp_path / "export.shadow" / "**" / "*.parquet")
    assert sorted(exported["id"]) == sorted(row["id"] for row in penguins[:5])
    assert exported["model_version"].unique().to_list() == ["2"]


def test_by_erasure_it_is_gone_and_the_file_is_named(shadowed, penguins):
    with shadowed.post("/prune", json={"days": 1}) as answer:
        assert "removed: 5 rows of the shadow" in answer.text

    now = shadowed.delete("/predictions", query_string={"id": penguins[7]["id"]}).json
    old = shadowed.delete("/predictions", query_string={"id": penguins[0]["id"]}).json

    assert counts(shadowed) == [4, 4]
    assert sum(now["rows"].values()) == 2
    assert any("export.shadow" in each["path"] and each["rows"] == 1 for each in old["exports"])
