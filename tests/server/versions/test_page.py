"""The page on versions does what it says, and the page of the line-up shows it."""

import os
import sys
from pathlib import Path

import pytest

from server.app import create_app
from server.config import Settings
from tests.server.conftest import ROOT
from tests.server.versions.conftest import switch
from tests.test_docs import DOCS, examples, pattern_of, run_python, run_shell


@pytest.mark.slow
def test_the_commands_print_what_stands_below_them(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("SEXTANT_DATABASE", str(tmp_path / "log.duckdb"))
    (_, make, _), add, change, ask, _ = examples((DOCS / "versions.md").read_text())

    run_python([make], tmp_path)
    for _, code, printed in (add, change):
        told = run_shell(code, tmp_path)
        assert pattern_of(printed).fullmatch(told.strip()), told
    _answer_in_the_shadow(tmp_path)
    told = run_shell(ask[1], tmp_path)

    assert "model_sha256" in told
    assert "shadow" in told


def _answer_in_the_shadow(folder):
    settings = Settings(model=folder / "models/serving.toml", database=folder / "log.duckdb")
    app = create_app(settings)
    client = app.test_client()
    switch(client, "challenge", model="wine/2", shadow=True)
    golden = client.get("/model").json["golden"]["inputs"]
    row = {name: column[0] for name, column in golden.items()}
    assert client.post("/predict", json={**row, "id": "bottle 1"}).status_code == 200
    app.extensions["sextant"].log.close()


@pytest.mark.parametrize("body", [{"share": 0.25}, {"shadow": True}])
def test_the_page_shows_who_answers(client, sha256, body):
    switch(client, "challenge", model="penguins/2", **body)

    page = client.get("/models", headers={"Accept": "text/html"}).text

    assert "penguins/1 is the champion" in page
    assert sha256("2") in page
    assert ("25 %" in page) == ("share" in body)
    assert "tiny/1" in page
    assert "models rollback" in page
