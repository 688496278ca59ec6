"""The model card says what the shipped file says."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from export import export_model, model_card
from export.errors import ExportError
from export.model_card import read_contract, write_card
from tests.conftest import Exported

ROOT = Path(__file__).parents[2]


def test_the_card_is_that_of_the_shipped_model() -> None:
    prose = (ROOT / "research" / "model_card.md").read_text()

    card = write_card(read_contract(ROOT / "models" / "sdss.onnx"), prose)

    assert card == (ROOT / "docs" / "model-card.md").read_text(), "run make card"


def test_a_regression_has_a_card(regression_model: Exported) -> None:
    parts = ("inputs", "outputs", "scores", "holdout", "coverage", "novelty", "provenance")
    prose = "\n".join("{{ " + part + " }}" for part in parts)

    card = write_card(read_contract(regression_model.path), prose)

    assert "| `a` |" in card
    assert "| rmse |" in card
    assert "None" not in card.replace("`None`", "")


def test_a_part_that_is_not_there_is_named() -> None:
    with pytest.raises(ExportError, match="asks for 'colour'; there are model, description"):
        write_card(read_contract(ROOT / "models" / "sdss.onnx"), "{{ colour }}")


def test_names_may_hold_what_markdown_and_prose_are_written_with(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, 2)).astype(np.float32), columns=["a|b", "{{ c }}"])
    y = pd.Series(np.where(X["a|b"] > 0, "p", "q"))
    fitted = LogisticRegression().fit(X, y)
    export_model(fitted, X, y, tmp_path / "m.onnx", name="m")

    card = write_card(read_contract(tmp_path / "m.onnx"), "{{ inputs }}")

    assert "| `a\\|b` |" in card
    assert "| `{{ c }}` |" in card


def test_a_file_without_what_the_card_tells_is_named(tmp_path: Path) -> None:
    model = onnx.load(ROOT / "models" / "sdss.onnx")
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "m.onnx")

    with pytest.raises(ExportError, match="has no contract, or that of an older export"):
        read_contract(tmp_path / "m.onnx")


def test_a_file_that_is_no_model_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.onnx").write_bytes(b"something else")
    arguments = ["model_card", str(tmp_path / "m.onnx"), "--prose", str(tmp_path), "-o", "x"]
    monkeypatch.setattr(sys, "argv", arguments)

    with pytest.raises(SystemExit, match="no model file with a contract"):
        model_card.main()
