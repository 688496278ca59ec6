"""A stopped log with rows of now and of hours long closed, and what is asked of it."""

import os
import subprocess
import sys

import duckdb
import pytest

from server.keeping.logs import StoppedLog
from server.storage.database import open_database
from tests.server.conftest import OBJECT, ROOT

ROWS = [{**OBJECT, "redshift": k / 50, "id": f"object {k}"} for k in range(50)]
# Hours before now; in each the same objects were predicted.
HOURS_AGO = (3, 30, 31, 80)
LABELS = """
CREATE TABLE IF NOT EXISTS given_labels (received_at TIMESTAMP, prediction_id UUID, id VARCHAR,
    label VARCHAR, value DOUBLE, observed_at TIMESTAMP, given_by VARCHAR, request_id VARCHAR)
"""


@pytest.fixture
def database(make_app, tmp_path):
    """Rows of now and of some hours ago, each hour with ids of its own; stopped."""
    app = make_app()
    assert app.test_client().post("/predict", json=ROWS).status_code == 200
    app.extensions["sextant"].log.close()
    path = tmp_path / "predictions.duckdb"
    with duckdb.connect(str(path)) as connection:
        ((table,),) = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name ^@ 'stored_'"
        ).fetchall()
        for hours in HOURS_AGO:
            connection.execute(
                f"INSERT INTO {table} SELECT * REPLACE (uuidv7() AS prediction_id, "
                f"date_trunc('hour', predicted_at) - INTERVAL {hours} HOUR AS predicted_at, "
                f"id || ' of {hours} h ago' AS id) FROM {table} "
                "WHERE id NOT LIKE '% ago'"
            )
        connection.execute(LABELS)
    return path


@pytest.fixture
def opened():
    """Open stopped logs, and let them go after the test."""
    connections = []

    def open_log(path):
        connections.append(open_database(path))
        return StoppedLog(connections[-1], path)

    yield open_log
    for connection in connections:
        connection.close()


def command(database, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "server", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "SEXTANT_DATABASE": str(database), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def asked(log, query, values=()):
    with log.cursor() as cursor:
        return cursor.execute(query, list(values)).fetchall()
