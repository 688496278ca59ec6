"""Closed hours as Parquet: what is written, once, and who reads it."""

from datetime import datetime

import duckdb
import polars as pl
import pytest

from server.commands import export as exporting
from server.commands.export import Part, export
from server.commands.sources import source_of
from server.config import Settings
from tests.server.conftest import OBJECT

_TABLE = "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'stored%'"

HOURS = 5
ROWS = [{**OBJECT, "redshift": k / 50, "id": f"object {k}"} for k in range(50)]


@pytest.fixture
def database(make_app, tmp_path):
    """Fill a log with some rows of now and the same rows of each of some hours ago, and stop."""
    app = make_app()
    app.test_client().post("/predict", json=ROWS)
    app.extensions["sextant"].log.close()
    path = tmp_path / "predictions.duckdb"
    with duckdb.connect(str(path)) as connection:
        (table,) = connection.execute(_TABLE).fetchone()
        connection.execute(
            f"INSERT INTO {table} SELECT * EXCLUDE (range) REPLACE (uuidv7() AS prediction_id, "
            "date_trunc('hour', predicted_at) - to_hours(range::INTEGER) AS predicted_at, "
            "CASE WHEN range = 3 THEN 'a b/c' ELSE model_name END AS model_name) "
            f"FROM {table}, range(2, {HOURS + 2})"
        )
    return path


def exported(database, to, replica="one"):
    with source_of(Settings(database=database), None) as source:
        return list(export(source, to, replica=replica, commit_timeout_s=10))


def test_each_closed_hour_is_a_file_of_its_model_and_day(database, tmp_path):
    parts = exported(database, tmp_path / "out")

    assert [part.rows for part in parts] == [50] * HOURS
    for part in parts:
        path = tmp_path / "out" / part.path("one")
        assert path.exists()
        assert path.parent.name == "replica=one"
        assert path.parent.parent.name == f"date={part.since:%Y-%m-%d}"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"model=sdss", "model=a b%2Fc"}


def test_the_hour_that_runs_is_left_for_later(database, tmp_path):
    exported(database, tmp_path / "out")

    rows = pl.scan_parquet(tmp_path / "out").select(pl.len()).collect().item()
    assert rows == 50 * HOURS


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-02 10:01:09", "2026-01-02 09:00"),
        ("2026-01-02 10:01:10", "2026-01-02 10:00"),
        ("2026-01-02 10:59:59", "2026-01-02 10:00"),
    ],
)
def test_an_hour_is_closed_when_no_commit_can_come_any_more(now, until):
    closed = exporting._closed_until(datetime.fromisoformat(now), commit_timeout_s=10)

    assert closed == datetime.fromisoformat(until)


def test_a_second_export_writes_nothing(database, tmp_path):
    exported(database, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.parquet")}

    assert exported(database, tmp_path / "out") == []
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.parquet")}
    assert after == before


def test_a_file_that_is_torn_or_gone_is_written_again(database, tmp_path):
    first, second, *_ = sorted(
        tmp_path / "out" / part.path("one") for part in exported(database, tmp_path / "out")
    )
    whole = first.read_bytes()
    first.write_bytes(whole[:-10])
    second.unlink()

    again = exported(database, tmp_path / "out")

    assert len(again) == 2
    assert first.read_bytes() == whole
    assert second.exists()
    assert list((tmp_path / "out").rglob(".*")) == []


def test_a_busy_hour_is_split_between_minutes(database, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "MAX_FILE_ROWS", 60)
    with duckdb.connect(str(database)) as connection:
        (table,) = connection.execute(_TABLE).fetchone()
        connection.execute(
            f"UPDATE {table} SET predicted_at = TIMESTAMP '2026-01-02 10:00:30' "
            "+ to_minutes((redshift * 50)::INTEGER)"
        )

    parts = exported(database, tmp_path / "out")

    sdss = [part for part in parts if part.model == "sdss"]
    assert [part.path("one").name for part in sdss] == [
        f"10{m:02}.parquet" for m in range(0, 50, 12)
    ]
    assert sum(part.rows for part in sdss) == 50 * HOURS
    assert pl.scan_parquet(tmp_path / "out").select(pl.len()).collect().item() == 50 * (HOURS + 1)


def test_replicas_lie_beside_each_other(database, tmp_path):
    exported(database, tmp_path / "out", "one")
    exported(database, tmp_path / "out", "two")

    table = pl.scan_parquet(tmp_path / "out", hive_partitioning=True).collect()
    assert sorted(table["replica"].unique()) == ["one", "two"]
    assert table.height == 2 * 50 * HOURS


def test_duckdb_and_polars_read_the_folder_as_one_table(database, tmp_path):
    exported(database, tmp_path / "out")
    pattern = str(tmp_path / "out" / "**" / "*.parquet")

    of_duckdb = duckdb.sql(
        f"SELECT model, count(*) FROM read_parquet('{pattern}', hive_partitioning = true, "
        "union_by_name = true) GROUP BY model ORDER BY model"
    ).fetchall()
    of_polars = (
        pl.scan_parquet(pattern, hive_partitioning=True)
        .group_by("model")
        .len()
        .sort("model")
        .collect()
        .rows()
    )

    assert of_duckdb == of_polars == [("a b/c", 50), ("sdss", 50 * (HOURS - 1))]


def test_a_replica_cannot_leave_the_folder():
    part = Part("../../x", datetime(2026, 1, 2), datetime(2026, 1, 2, 1), 1)

    assert ".." not in part.path("../y").parts
    assert len(part.path("../y").parts) == 4


@pytest.mark.slow
def test_a_server_that_runs_is_asked_and_gives_the_same(database, tmp_path, start_server):
    exported(database, tmp_path / "stopped")
    server = start_server(database)

    with source_of(Settings(database=database), server.url) as source:
        parts = list(export(source, tmp_path / "running", replica="one", commit_timeout_s=10))

    assert len(parts) == HOURS
    for part in parts:
        both = [pl.read_parquet(tmp_path / k / part.path("one")) for k in ("stopped", "running")]
        assert both[0].equals(both[1])
