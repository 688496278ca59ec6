"""Hostile SQL against the database as the server opens it, and against a server that runs."""

import contextlib
import json
import os
import re
import urllib.parse

import duckdb
import pytest

from server.app import create_app
from server.config import Settings
from server.sql.guard import SqlRefused
from server.sql.query import Limits, SqlQueries
from server.storage.database import open_database, query_folder
from tests.server.conftest import OBJECT, SHIPPED
from tests.server.sql.hostile_statements import ENDED, HARMLESS, REFUSED

_TABLE = "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'stored%'"

_CANARY = "canary-7d1f"
_SHORT = [statement for statement in REFUSED if len(statement) < 200_000]


def named(statement):
    return re.sub(r"\s+", " ", statement[:50]) + (f".. {len(statement)}" * (len(statement) > 50))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def table(place):
    """Fill a log, stop, and say what its table is called."""
    app = create_app(Settings(model=SHIPPED, database=place / "hostile.duckdb"))
    rows = [{**OBJECT, "redshift": k / 50, "id": f"object {k}"} for k in range(50)]
    assert app.test_client().post("/predict", json=rows).status_code == 200
    with app.extensions["sextant"].log.cursor() as cursor:
        (name,) = cursor.execute(_TABLE).fetchone()
    app.extensions["sextant"].log.close()
    (place / "secret.csv").write_text(f"{_CANARY}\n{_CANARY}\n")
    os.environ["SEXTANT_CANARY"] = _CANARY
    yield name
    del os.environ["SEXTANT_CANARY"]


@pytest.fixture(scope="module")
def queries(place, table):
    assert table
    path = place / "hostile.duckdb"
    before, files = path.read_bytes(), sorted(each.name for each in place.iterdir())
    database = open_database(path)
    yield SqlQueries(database.cursor, query_folder(path), Limits(rows=10_000, time_s=1.0))
    database.close()
    # After all of them: the same bytes, no file more, none less.
    assert path.read_bytes() == before
    assert sorted(each.name for each in place.iterdir()) == files


@pytest.fixture(scope="module")
def patient(queries):
    """The same for what comes to its end, on a machine that has more to do."""
    return SqlQueries(queries._cursor, queries._folder, Limits(rows=10_000, time_s=20.0))


def filled(statement, place, table):
    for name, value in {
        "file": place / "secret.csv",
        "folder": place,
        "database": place / "hostile.duckdb",
        "table": table,
    }.items():
        statement = statement.replace(f"{{{name}}}", str(value))
    return statement


@pytest.mark.parametrize("statement", REFUSED, ids=named)
def test_it_is_refused(queries, place, table, statement):
    canary_frame = [_CANARY]  # what DuckDB could see in this frame

    with pytest.raises(SqlRefused) as refused:
        queries.rows(filled(statement, place, table), {}, 10)

    assert canary_frame[0] not in refused.value.detail


@pytest.mark.slow
@pytest.mark.parametrize("statement", ENDED, ids=named)
def test_it_is_ended(queries, statement):
    before = _peak_mb()

    # Nothing may come of it as well; what counts is that it ends and how much it took.
    with contextlib.suppress(SqlRefused):
        queries.rows(statement, {}, 10)

    assert _peak_mb() - before < 3_000


@pytest.mark.slow
@pytest.mark.parametrize("statement", ENDED, ids=named)
def test_it_is_ended_as_a_file_too(queries, place, statement):
    with contextlib.suppress(SqlRefused):
        queries.file(statement, {}, "csv").close()

    assert not (place / "hostile.duckdb.queries").exists()


@pytest.mark.parametrize("statement", HARMLESS, ids=named)
def test_it_reads_what_is_published_and_nothing_else(patient, place, table, statement):
    result = patient.rows(filled(statement, place, table), {}, 10_000)

    told = " ".join(result.rows)
    for secret in (_CANARY, str(place), table, "duckdb.queries"):
        assert secret not in told
    for row in result.rows:
        json.loads(row)


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("statement", HARMLESS, ids=named)
def test_it_can_be_downloaded(patient, place, table, statement, form):
    with patient.file(filled(statement, place, table), {}, form) as file:
        content = file.read()

    assert _CANARY.encode() not in content
    assert form != "parquet" or content.endswith(b"PAR1")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('{file}')",
        "FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/stolen.csv'",
        "ATTACH '{folder}/other.duckdb'",
        "SET lock_configuration = false",
        "INSTALL httpfs",
        "SELECT * FROM canary_frame",
        "CREATE PERSISTENT SECRET s (TYPE s3)",
    ],
)
def test_the_database_itself_refuses_what_gets_past_the_guard(queries, place, table, statement):
    canary_frame = [_CANARY]

    with queries._cursor() as cursor, pytest.raises(duckdb.Error):
        cursor.execute(filled(statement, place, table))

    assert canary_frame


def test_a_reader_cannot_write_even_past_the_guard(queries, table):
    with queries._cursor() as cursor:
        cursor.execute("BEGIN TRANSACTION READ ONLY")

        for statement in (
            f"DELETE FROM {table}",
            "DROP VIEW predictions",
            "CREATE TABLE t (a INT)",
        ):
            with pytest.raises(duckdb.Error, match="read-only"):
                cursor.execute(statement)
            cursor.rollback()
            cursor.execute("BEGIN TRANSACTION READ ONLY")


@pytest.mark.slow
def test_a_server_that_was_asked_all_of_them_predicts_and_stores(
    start_server, tmp_path, place, table
):
    server = start_server(tmp_path / "served.duckdb", query_timeout_s=0.3)
    server.post("/predict", OBJECT)
    for statement in [*_SHORT, *ENDED, *HARMLESS]:
        body = urllib.parse.urlencode({"q": filled(statement, place, table)}, errors="replace")

        status, answer = server.post(
            "/sql.json", body.encode(), "application/x-www-form-urlencoded"
        )

        assert status in (200, 400, 422), statement[:200]
        assert _CANARY not in json.dumps(answer)

    status, answer = server.post("/predict", OBJECT)
    newest = server.get("/predictions?format=json&limit=10")[1]["predictions"]
    assert (status, len(newest)) == (200, 2)
    assert newest[0]["prediction_id"] == answer["prediction_id"]
    assert server.stop() == 0


def _peak_mb():
    with open("/proc/self/status") as status:  # noqa: PTH123  # of the kernel
        return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) // 1024
