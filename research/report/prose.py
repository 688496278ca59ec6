"""The numbers in the prose of the notebooks, and where each was measured.

Every cell of prose names its sources in its metadata, ``numbers``, in the order in which the
numbers stand in the text: a path into results.json, such as
``models/pairwise/with_redshift/random/macro_f1/mean``, or ``quoted/NAME`` for a number of the
literature, which quoted.json holds with its source. ``python -m research.report.prose`` lists what
does not agree; ``--mend`` writes the measured numbers into the text, after which it must be read
again: a number may have changed its meaning.
"""

import argparse
import re
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

import nbformat

from research.report.results import RESULTS, load, look_up

FOLDER = Path(__file__).parent
QUOTED = FOLDER / "quoted.json"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]_*.ipynb"))
# A number that stands alone: not part of a name (DR14, F1), a link, code, or a formula.
NUMBER = re.compile(r"(?<![\w.,/#-])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w/]|\.\d|-\w)")
# Code, links, formulas, headings, numbers of a list, years (a quantity has a comma: 2,000), and
# the references.
NOT_PROSE = re.compile(
    r"`[^`]*`|\]\([^)]*\)|\$[^$]*\$|^## References.*\Z|^#+ [^\n]*$|^\d+\. "
    r"|(?<![\w.,-])(?:19|20)\d\d(?![\w]|[.,]\d)",
    re.MULTILINE | re.DOTALL,
)


def numbers_in(text: str) -> list[re.Match[str]]:
    """Return the numbers in a text, in order, but those of NOT_PROSE."""
    hidden = NOT_PROSE.sub(lambda found: " " * len(found[0]), text)
    return list(NUMBER.finditer(hidden))


def as_written(value: float, written: str, *, percent: bool) -> str:
    """Return the value as a number is written: as many decimals, percent or not."""
    decimals = len(written.partition(".")[2])
    exact = Decimal(str(value)) * (100 if percent else 1)
    step = Decimal(1).scaleb(-decimals)
    return f"{exact.quantize(step, rounding=ROUND_HALF_EVEN):,f}"


def check_cell(cell: Any, results: dict[str, Any]) -> list[str]:
    """Return what is wrong with the numbers of a cell, a sentence each."""
    faults = []
    text = cell.source
    sources = cell.metadata.get("numbers", [])
    for found, source in zip_longest(numbers_in(text), sources):
        if found is None:
            faults.append(f"{source} is named as a source, but no number is left for it")
        elif source is None:
            faults.append(f"{found[0]} has no source: ...{_around(text, found)}...")
        elif (value := _measured(results, source)) is None:
            faults.append(f"{source}, the source of {found[0]}, is no measured number")
        else:
            measured = as_written(value, found[0], percent=_percent(text, found))
            if found[0] not in (measured, measured.replace(",", "")):
                faults.append(f"{found[0]} is {measured} by {source}: ...{_around(text, found)}...")
    return faults


def mend_cell(cell: Any, results: dict[str, Any]) -> None:
    """Write the measured numbers into the text of a cell."""
    text, matches = cell.source, numbers_in(cell.source)
    sources = cell.metadata.get("numbers", [])
    for found, source in reversed(list(zip(matches, sources, strict=False))):
        if (value := _measured(results, source)) is not None:
            measured = as_written(value, found[0], percent=_percent(text, found))
            text = text[: found.start()] + measured + text[found.end() :]
    cell.source = text


def everything_measured() -> dict[str, Any]:
    """Return the results, with the numbers of the literature under `quoted`."""
    quoted = {name: each["value"] for name, each in load(QUOTED).items()}
    return load(RESULTS) | {"quoted": quoted}


def _measured(results: dict[str, Any], source: str) -> float | None:
    """Return the number that stands at a path, or None where there is none."""
    try:
        value = look_up(results, source)
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return value if isinstance(value, (int, float)) else None


def _percent(text: str, found: re.Match[str]) -> bool:
    return text[found.end() : found.end() + 2].strip().startswith("%")


def _around(text: str, found: re.Match[str]) -> str:
    return text[max(0, found.start() - 40) : found.end() + 20].replace("\n", " ")


def main() -> None:
    """List every fault, or mend the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mend", action="store_true", help="write the measured numbers")
    mend = parser.parse_args().mend
    results, faults = everything_measured(), []
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # no types
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type == "markdown":
                if mend:
                    mend_cell(cell, results)
                faults += [f"{path.name}, cell {number}: {f}" for f in check_cell(cell, results)]
        if mend:
            nbformat.write(notebook, path)  # type: ignore[no-untyped-call]  # no types
    raise SystemExit("\n".join(faults) or None)


if __name__ == "__main__":
    main()
