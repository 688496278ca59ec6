"""The model card says what the shipped file says."""

import sys
from pathlib import Path

import pytest

from export import model_card
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


def test_a_file_that_is_no_model_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.onnx").write_bytes(b"something else")
    arguments = ["model_card", str(tmp_path / "m.onnx"), "--prose", str(tmp_path), "-o", "x"]
    monkeypatch.setattr(sys, "argv", arguments)

    with pytest.raises(SystemExit, match="no model file with a contract"):
        model_card.main()
