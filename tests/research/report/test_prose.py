"""Every number in the prose of the notebooks was measured, or is quoted with its source."""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from research.report.prose import (
    NOTEBOOKS,
    QUOTED,
    check_cell,
    everything_measured,
    main,
    mend_cell,
    numbers_in,
)
from research.report.results import load

RESULTS = {"score": 0.95464, "rows": 10_000, "loss": -0.0123}


def prose(text: str, *sources: str) -> Any:
    return nbformat.v4.new_markdown_cell(text, metadata={"numbers": list(sources)})


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.name for path in NOTEBOOKS])
def test_every_number_in_the_prose_is_the_measured_one(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]

    faults = [fault for cell in cells for fault in check_cell(cell, everything_measured())]

    assert faults == []


def test_every_quoted_number_has_a_source_and_a_reader() -> None:
    text = "".join(path.read_text() for path in NOTEBOOKS)
    quoted = load(QUOTED)

    assert all(each["source"] for each in quoted.values())
    assert [name for name in quoted if f'"quoted/{name}"' not in text] == []


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("F1 is 0.955.", "score"),
        ("F1 is 95.5 % of it", "score"),
        ("of 10,000 rows", "rows"),
        ("of 10000 rows", "rows"),
        ("it fell by -0.012", "loss"),
    ],
)
def test_a_number_may_be_rounded_and_written_as_one_likes(text: str, source: str) -> None:
    assert check_cell(prose(text, source), RESULTS) == []


def test_a_number_that_was_measured_otherwise_is_named_with_its_place() -> None:
    faults = check_cell(prose("macro F1 is 0.956 here", "score"), RESULTS)

    assert faults == ["0.956 is 0.955 by score: ...macro F1 is 0.956 here..."]


def test_a_number_without_a_source_is_named() -> None:
    faults = check_cell(prose("0.955 of 12 rows", "score"), RESULTS)

    assert faults == ["12 has no source: ...0.955 of 12 rows..."]


def test_a_source_without_a_number_is_named() -> None:
    faults = check_cell(prose("many rows", "rows"), RESULTS)

    assert faults == ["rows is named as a source, but no number is left for it"]


@pytest.mark.parametrize("source", ["nowhere", "list/9", "list/x", "score/mean", "list"])
def test_a_source_that_holds_no_number_is_named(source: str) -> None:
    faults = check_cell(prose("F1 is 0.9", source), RESULTS | {"list": [1]})

    assert faults == [f"{source}, the source of 0.9, is no measured number"]


def test_names_code_links_years_and_references_hold_no_numbers() -> None:
    text = (
        "# 2. Models\nDR14, F1 and `u < 19.6` of Clarke et al. 2020, [here](4_models.ipynb), "
        "$x^2$, HE-1104.\n## References\nAJ 123, 2945."
    )

    assert numbers_in(text) == []


def test_the_command_mends_a_notebook_and_lists_what_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "1_made.ipynb"
    cells = [prose("Of 9,999 rows", "facts/rows"), prose("and 77 others")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    monkeypatch.setattr("research.report.prose.NOTEBOOKS", [path])
    monkeypatch.setattr("sys.argv", ["prose", "--mend"])

    with pytest.raises(SystemExit, match=r"1_made\.ipynb, cell 1: 77 has no source"):
        main()

    assert nbformat.read(path, as_version=4).cells[0].source == "Of 10,000 rows"


def test_mending_writes_the_measured_numbers() -> None:
    cell = prose("0.9 of 9 rows", "score", "rows")

    mend_cell(cell, RESULTS)

    assert cell.source == "1.0 of 10,000 rows"
