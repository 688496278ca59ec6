"""What the README says is so."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from server.model import Model

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_scores_are_those_of_the_shipped_file():
    contract = Model(ROOT / "models" / "sdss.onnx").contract

    for score in contract.metrics:
        assert f"{score.mean:.4f} ± {score.sd:.4f}" in README
    assert f"sdss {contract.model_version} at http" in README


def test_every_folder_of_the_map_is_there_and_linked_files_too():
    for name in re.findall(r"\]\(([\w/.-]+)\)", README) + re.findall(r"^\| `(\w+)/`", README, re.M):
        assert (ROOT / name).exists(), name


@pytest.mark.slow
def test_the_walk_through_an_own_pipeline_works(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

    subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )

    assert Model(tmp_path / "wine.onnx").contract.class_names == ["0", "1", "2"]
