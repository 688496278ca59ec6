"""The examples of documents, run in their order as they stand, and what they print."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.conftest import ServerProcess

pytestmark = pytest.mark.slow
DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
URL = "http://127.0.0.1:8080"
MARK = "-- the end of an example --"


def examples(text):
    """Return language, code and what is printed for each example that says what is printed."""
    blocks = BLOCK.findall(text)
    return [
        (language, code, printed if kind == "text" else None)
        for (language, code), (kind, printed) in zip(blocks, [*blocks[1:], ("", "")], strict=True)
        if language in ("python", "sh")
    ]


def pattern_of(printed):
    """Return the pattern of what is printed: three dots are anything."""
    return re.compile(".*?".join(map(re.escape, printed.strip().split("..."))), re.DOTALL)


def run_python(codes, folder):
    """Run all of them in one interpreter, as a reader would, and return what each printed."""
    script = f"print({MARK!r})\n".join(codes)
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split(f"{MARK}\n")


def run_shell(code, folder):
    ran = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_examples_of_formats_print_what_stands_below_them(tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    server = ServerProcess(tmp_path / "predictions.duckdb")
    try:
        text = (DOCS / "formats.md").read_text(encoding="utf-8").replace(URL, server.url)
        found = examples(text)
        python = [(code, printed) for language, code, printed in found if language == "python"]
        shell = [(code, printed) for language, code, printed in found if language == "sh"]

        said = run_python([code for code, _ in python], tmp_path)
        said += [run_shell(code, tmp_path) for code, _ in shell]
    finally:
        assert server.stop() == 0

    assert len(python) >= 3
    assert len(shell) >= 3
    for (_, printed), told in zip([*python, *shell], said, strict=True):
        assert pattern_of(printed).fullmatch(told.strip()), f"{told}\nis not\n{printed}"


def test_the_readme_asks_from_python_and_gives_a_label(tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    server = ServerProcess(tmp_path / "predictions.duckdb")
    try:
        text = (DOCS.parent / "README.md").read_text(encoding="utf-8").replace(URL, server.url)
        found = examples(text.replace("localhost:8080", server.url.removeprefix("http://")))
        (asks,) = [code for language, code, _ in found if "import requests" in code]
        (labels,) = [code for language, code, _ in found if "/labels" in code]

        said = run_python([asks], tmp_path)
        told = run_shell(labels, tmp_path)
    finally:
        assert server.stop() == 0

    assert said == ["STAR\n"]
    assert '"unmatched":1' in told
