"""The pins agree with each other, and those of the server are all that the server needs."""

import re
import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pins(name):
    text = (ROOT / name).read_text()
    return set(re.findall(r"^([\w.-]+==\S+)(.*) \\$", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements-serve.txt", "requirements-train.txt"])
def test_serving_and_training_are_part_of_what_is_tested(name):
    # Without the conditions: what more packages ask for, the larger file asks for on more systems.
    versions = {pin for pin, _ in pins(name)}

    assert versions
    assert versions <= {pin for pin, _ in pins("requirements-dev.txt")}


@pytest.mark.parametrize(
    "name",
    [
        *(f"requirements-{name}.txt" for name in ("serve", "train", "dev")),
        *(f"tests/clients/{name}.txt" for name in ("triton", "kserve", "mlserver", "schemathesis")),
        *("tests/fuzz/fuzz.txt", "tests/ops/checkers.txt"),
        *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("benchmarks/peers/*/*.txt")),
    ],
)
def test_every_pin_has_its_hashes(name):
    entries = re.split(r"^(?=[\w.-]+==)", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]

    assert len(entries) == len(pins(name))
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.slow
def test_the_server_imports_with_its_own_requirements_alone(tmp_path):
    venv.create(tmp_path, with_pip=True)
    python = tmp_path / "bin" / "python"
    requirements = ["--require-hashes", "-r", ROOT / "requirements-serve.txt"]
    subprocess.run([python, "-m", "pip", "install", "-q", *requirements], check=True)
    code = (
        "import server.__main__, sys; sys.exit(any(n in sys.modules for n in ('sklearn', 'onnx')))"
    )

    subprocess.run([python, "-W", "error", "-c", code], cwd=ROOT, check=True)
    missing = subprocess.run([python, "-c", "import sklearn"], capture_output=True)

    assert missing.returncode == 1
