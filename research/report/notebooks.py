"""Run the notebooks and store what they show: ``python -m research.report.notebooks``.

SEXTANT_SURVEY names the table. A second run of the same gives the same files: neither times nor
the version of Python are kept.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from rich.console import Console

from research.report.prose import NOTEBOOKS
from research.report.table import survey_path

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 300

console = Console()


def execute(path: Path) -> Any:
    """Return the notebook with the outputs of all its cells, run in the root of the checkout.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        When a cell fails; the message holds the cell and its error.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # no types
    # Sockets in a folder of our own rather than ports, which others on the machine could reach.
    with TemporaryDirectory() as folder:
        kernel = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{folder}/kernel")
        NotebookClient(
            notebook,
            km=kernel,
            timeout=TIMEOUT_S,
            record_timing=False,
            resources={"metadata": {"path": str(ROOT)}},
        ).execute(cleanup_kc=True)
    notebook.metadata.get("language_info", {}).pop("version", None)
    return notebook


def main() -> None:
    """Run the named notebooks, or all, and write them back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, default=NOTEBOOKS)
    parser.add_argument("--out", type=Path, help="folder to write to instead of in place")
    options = parser.parse_args()
    survey_path()
    for path in options.notebooks:
        out = options.out / path.name if options.out else path
        nbformat.write(execute(path), out)  # type: ignore[no-untyped-call]  # no types
        console.print(f"ran {path.name}: {out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
