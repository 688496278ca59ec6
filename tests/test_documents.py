"""What the documents tell to run is run as it stands there, but for the address."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from benchmarks.running import SEXTANT, free_port, serving
from server.app import create_app
from server.config import Settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("api.md", "sql.md")
# A block behind a comment that says why not is not run.
BLOCK = re.compile(r"(<!-- not run: [^\n]+ -->\n)?^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
STRICT = 'set -euo pipefail\ncurl() { command curl -sS --fail-with-body "$@"; }\n'
OBJECT = {"u": 19.47406, "g": 17.0424, "r": 15.94699, "i": 15.50342, "z": 15.22531}


class Example(NamedTuple):
    language: str
    code: str
    is_run: bool


def examples_of(document):
    text = (ROOT / "docs" / document).read_text()
    return [Example(language, code, not left) for left, language, code in BLOCK.findall(text)]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Serve a log that holds rows of now and of an hour that is closed."""
    folder = tmp_path_factory.mktemp("served")
    settings = Settings(model=ROOT / "models" / "sdss.onnx", database=folder / "log.duckdb")
    app = create_app(settings)
    app.test_client().post("/predict", json=[OBJECT, {**OBJECT, "redshift": 0.5}])
    app.extensions["sextant"].log.close()
    with duckdb.connect(str(settings.database)) as connection:
        (table,) = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'stored_%'"
        ).fetchone()
        connection.execute(
            f"INSERT INTO {table} SELECT * REPLACE (uuidv7() AS prediction_id, "
            f"predicted_at - INTERVAL 3 HOUR AS predicted_at) FROM {table}"
        )
    environment = {
        "SEXTANT_HOST": "127.0.0.1",
        "SEXTANT_PORT": str(free_port()),
        "SEXTANT_DATABASE": str(settings.database),
    }
    url = f"http://127.0.0.1:{environment['SEXTANT_PORT']}"
    with serving(
        SEXTANT, environment, ready_url=f"{url}/health/ready", output=folder / "server.log"
    ):
        yield environment | {"PYTHONPATH": str(ROOT)}


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_example_of_a_document_works_one_after_the_other(address, tmp_path, document):
    environment = (
        os.environ | address | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    )
    served = f"127.0.0.1:{address['SEXTANT_PORT']}"
    ran = 0

    for language, code, is_run in examples_of(document):
        if not is_run or language not in ("sh", "python"):
            continue
        code = code.replace("127.0.0.1:8080", served)
        command = (
            ["bash", "-c", STRICT + code]
            if language == "sh"
            else [sys.executable, "-W", "error::SyntaxWarning", "-c", code]
        )
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        ran += 1

    assert ran >= 2


@pytest.mark.slow
def test_an_example_whose_answer_is_an_error_would_fail(address):
    code = f"{STRICT}curl http://127.0.0.1:{address['SEXTANT_PORT']}/predictions?limit=0"

    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)

    assert done.returncode == 22  # an HTTP error, as curl(1) has it
    assert '"status": 400' in done.stdout


def test_nothing_but_what_needs_spark_is_left_out():
    left_out = [each.code for name in DOCUMENTS for each in examples_of(name) if not each.is_run]

    assert ["spark" in code for code in left_out] == [True]
