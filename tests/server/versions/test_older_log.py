"""A log that an earlier version began: it opens, reads on, and is kept like any other."""

import pytest

from server.commands.run import run
from server.storage import layout
from tests.server.conftest import OBJECT, SHIPPED
from tests.server.versions.conftest import ask


@pytest.fixture
def older(make_app, tmp_path, monkeypatch):
    """A log whose tables were made before rows said which file answered, with a row of now."""
    database = tmp_path / "older.duckdb"
    with monkeypatch.context() as before:
        before.setattr(layout, "_SHA256", {})
        app = make_app(database=database)
        assert (
            app.test_client().post("/predict", json=[{**OBJECT, "id": "a"}] * 2).status_code == 200
        )
        log = app.extensions["sextant"].log
        # Nor was there a shadow.
        log.change(_without_shadow)
        log.close()
    client = make_app(database=database).test_client()
    assert client.post("/predict", json={**OBJECT, "id": "b"}).status_code == 200
    return client


def _without_shadow(writer):
    writer.execute("DROP VIEW shadow_predictions")
    for name in writer.execute(
        "SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'shadow\\_%' ESCAPE '\\'"
    ).fetchall():
        writer.execute(f"DROP VIEW {name[0]}")
    for name in writer.execute(
        "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'shadowed%'"
    ).fetchall():
        writer.execute(f"DROP TABLE {name[0]}")


def test_its_rows_are_read_beside_the_new_ones(older):
    found = ask(
        older, "SELECT id, model_sha256 IS NULL, label FROM predictions ORDER BY prediction_id"
    )
    listed = older.get("/predictions?sort=time").json["predictions"]

    assert [row[:2] for row in found] == [["a", True], ["a", True], ["b", False]]
    assert [row["model"]["sha256"] is None for row in listed] == [True, True, False]
    assert (
        older.get(f"/predictions/{listed[0]['prediction_id']}").json["inputs"]["u"] == OBJECT["u"]
    )
    assert len(older.get("/predictions.ndjson").text.splitlines()) == 3
    assert "model_sha256" in older.get("/predictions.csv").text.splitlines()[0].split(",")
    assert older.get("/predictions.parquet").status_code == 200
    assert older.post("/labels", json={"id": "a", "label": "STAR"}).json["matched"] == 2
    assert older.get("/labels").json["judged"] == 2
    assert older.get("/monitor").status_code == 200


def test_it_is_replayed_erased_and_looked_after(older, tmp_path, monkeypatch, capsys):
    older.application.extensions["sextant"].log.close()
    database = tmp_path / "older.duckdb"
    monkeypatch.setenv("SEXTANT_DATABASE", str(database))
    monkeypatch.setenv("SEXTANT_EXPORT_DIR", str(tmp_path / "export"))

    replayed = run(["replay", "--model", str(SHIPPED)])
    copied = run(["backup", str(tmp_path / "copy.duckdb")])
    erased = run(["erase", "--id", "a"])
    looked = run(["doctor"])
    told = capsys.readouterr().out

    assert (replayed, copied, erased, looked) == (3, 0, 0, 0), told
    assert "on 3 stored inputs" in told
    assert "erased 2 predictions" in told
