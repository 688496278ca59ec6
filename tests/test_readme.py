"""What the README says is so."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from server.app import create_app
from server.config import Settings
from server.model import Model

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()


def test_the_scores_are_those_of_the_shipped_file():
    contract = Model(ROOT / "models" / "sdss.onnx").contract

    for score in contract.metrics:
        assert f"{score.mean:.4f} ± {score.sd:.4f}" in README
    assert f"sdss {contract.model_version} at http" in README


def test_every_folder_of_the_map_is_there_and_linked_files_too():
    for name in re.findall(r"\]\(([\w/.-]+)\)", README) + re.findall(r"^\| `(\w+)/`", README, re.M):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", [README, API], ids=["README.md", "docs/api.md"])
def test_the_example_is_answered_as_it_says(tmp_path, page):
    model = ROOT / "models" / "sdss.onnx"
    app = create_app(Settings(model=model, database=tmp_path / "predictions.duckdb"))
    sent = re.search(r"-d '([^']*)'\n```\n\n```json\n(.*?)```", page, re.DOTALL)

    answer = app.test_client().post("/predict", json=json.loads(sent[1])).json
    app.extensions["sextant"].log.close()

    told = json.loads(sent[2])
    # What differs every time.
    for name in ("prediction_id", "predicted_at"):
        told[name] = answer[name]
    check_same(told, answer)


def check_same(told, answer):
    """Compare numbers to five digits, for another processor may round the last one otherwise."""
    if isinstance(told, dict):
        assert list(told) == list(answer)
        for name, value in told.items():
            check_same(value, answer[name])
    elif isinstance(told, list):
        shown = told[:-1] if told[-1:] == ["..."] else told
        assert len(shown) == len(answer) or len(shown) < len(told)
        for value, other in zip(shown, answer, strict=False):
            check_same(value, other)
    elif isinstance(told, float):
        assert told == pytest.approx(answer, rel=1e-5, abs=1e-6)
    else:
        assert told == answer


def test_onnxruntime_alone_gives_all_that_the_page_on_explanations_says(monkeypatch):
    page = (ROOT / "docs" / "explanations.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    said = {}
    monkeypatch.chdir(ROOT)

    exec(code, said)  # noqa: S102  # what the page tells to run

    star = list(said["answer"]["photometric_contributions"][0][:, 2])
    assert star[1] == pytest.approx(3.31, abs=0.005)
    assert star[3] == pytest.approx(-1.13, abs=0.005)
    assert list(said["answer"]["prediction_set"][0]) == [False, False, True]
    assert not said["answer"]["novelty"].any()


@pytest.mark.slow
def test_the_walk_through_an_own_pipeline_works(tmp_path):
    _, code, save = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    command = shlex.split(re.search(r"^\.venv/bin/python (-m export .*)$", README, re.MULTILINE)[1])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    contracts = []

    for arguments in (["-W", "error", "-c", code + save], command):
        subprocess.run([sys.executable, *arguments], cwd=tmp_path, env=environment, check=True)
        contracts.append(Model(tmp_path / "wine.onnx").contract)

    notebook, shell = contracts
    assert notebook.class_names == ["0", "1", "2"]
    assert (shell.model_name, shell.features) == (notebook.model_name, notebook.features)
    # Both rule classes out: a class of few rows is in every set.
    assert shell.conformal == notebook.conformal
    assert all(least > 0 for least in notebook.conformal.thresholds[""].values())
