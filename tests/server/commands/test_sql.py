"""The commands, as somebody types them."""

import csv
import io
import json
import os
import subprocess
import sys

import polars as pl
import pytest

from tests.server.conftest import OBJECT, ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def database(make_app, tmp_path):
    app = make_app()
    app.test_client().post("/predict", json=[{**OBJECT, "id": f"object\n{k}"} for k in range(3)])
    app.extensions["sextant"].log.close()
    return tmp_path / "predictions.duckdb"


def run(database, *arguments, **variables):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEXTANT_")},
        "SEXTANT_DATABASE": str(database),
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=60,
    )


def test_a_stopped_log_is_asked_and_answers_a_table(database):
    done = run(database, "sql", "SELECT label, u, id, NULL AS n FROM predictions LIMIT 1")

    head, rule, row = done.stdout.decode().splitlines()
    assert head.split() == ["label", "u", "id", "n"]
    assert rule.split()[1] == "--------"
    assert row.split()[1:] == ["19.47406", "object\\u000a0", "NULL"]


@pytest.mark.parametrize("form", ["csv", "json", "ndjson", "parquet"])
def test_every_form_can_be_piped(database, form):
    query = "SELECT id, u FROM predictions WHERE id <> $but ORDER BY prediction_id"

    done = run(database, "sql", query, "but=object\n1", "--format", form)

    read = {
        "csv": lambda text: [row["id"] for row in csv.DictReader(io.StringIO(text.decode()))],
        "json": lambda text: [row["id"] for row in json.loads(text)],
        "ndjson": lambda text: [json.loads(line)["id"] for line in text.splitlines()],
        "parquet": lambda text: pl.read_parquet(text)["id"].to_list(),
    }[form]
    assert read(done.stdout) == ["object\n0", "object\n2"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sql", "SELECT lable FROM predictions"], "SELECT lable FROM predictions\n       ^"),
        (["sql", "DROP VIEW predictions"], "only one SELECT can run here"),
        (["sql", "SELECT $x"], "$x has no value"),
        (["sql", "SELECT 1", "x"], "'x' is not name=value"),
        (["dance"], "invalid choice: 'dance'"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(database, arguments, told):
    done = run(database, *arguments)

    assert done.returncode in (1, 2)
    assert told in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_log_that_is_not_there_is_not_made(tmp_path):
    done = run(tmp_path / "none.duckdb", "sql", "SELECT 1")

    assert done.returncode == 1
    assert "no such file: set SEXTANT_DATABASE" in done.stderr.decode()
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_has_the_log_open_is_asked(database, start_server, tmp_path):
    server = start_server(database)

    asked = run(database, "sql", "SELECT count(*) AS n FROM predictions", "--url", server.url)
    written = run(database, "export", "--to", str(tmp_path / "out"), SEXTANT_PORT=str(server.port))

    assert asked.stdout.split()[-1] == b"3"
    assert written.returncode == 0
    assert f"from {server.url}" in written.stdout.decode()


def test_a_lock_without_a_server_is_told(database, start_server):
    start_server(database)

    done = run(database, "sql", "SELECT 1", "--url", "http://127.0.0.1:1")

    assert done.returncode == 1
    assert "no server answers at http://127.0.0.1:1" in done.stderr.decode()
    assert "--url" in done.stderr.decode()
