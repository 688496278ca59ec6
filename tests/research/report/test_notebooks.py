"""The notebooks run from beginning to end, and hold what they show."""

import base64
from pathlib import Path
from typing import Any

import nbformat
import pytest

from research.report.notebooks import execute, main
from research.report.prose import NOTEBOOKS
from tests.conftest import SURVEY

LARGEST_PICTURE = 150_000
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


def outputs_of(notebook: Any) -> list[list[Any]]:
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def tables_of(notebook: Any) -> list[str]:
    return [
        output.data["text/html"]
        for outputs in outputs_of(notebook)
        for output in outputs
        if "text/html" in output.get("data", {})
    ]


def test_there_are_six() -> None:
    assert [path.name[0] for path in NOTEBOOKS] == list("123456")


@each_notebook
def test_its_outputs_are_stored_and_light(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    pictures = [
        base64.b64decode(output.data["image/png"])
        for outputs in outputs_of(notebook)
        for output in outputs
        if "image/png" in output.get("data", {})
    ]

    # The first cell of code opens the table and shows nothing; every other one shows something.
    assert all(outputs_of(notebook)[1:])
    assert all(len(picture) < LARGEST_PICTURE for picture in pictures)


@each_notebook
def test_its_sections_ask_first_and_end_with_a_decision(path: Path) -> None:
    text = "\n".join(
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
    )
    sections = [part for part in text.split("\n## ")[1:] if not part.startswith("References")]

    assert sections
    for section in sections:
        assert "*We want " in section
        assert "**Finding.**" in section
        assert "**Decision.**" in section


@pytest.mark.slow
@each_notebook
def test_it_runs_to_the_end(
    path: Path, survey_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEXTANT_SURVEY", str(survey_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))

    ran = execute(path)

    shown = [bool(outputs) for outputs in outputs_of(ran)]
    assert shown == [bool(outputs) for outputs in outputs_of(nbformat.read(path, as_version=4))]
    # Pictures may differ by a font; tables of the real table may not.
    if SURVEY:
        assert tables_of(ran) == tables_of(nbformat.read(path, as_version=4))


@pytest.mark.parametrize(
    ("named", "message"), [("", "names no table"), ("nowhere.csv", "which is no file")]
)
def test_without_a_table_it_ends_with_a_message(
    named: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEXTANT_SURVEY", named)
    monkeypatch.setattr("sys.argv", ["notebooks"])

    with pytest.raises(SystemExit, match=message):
        main()
