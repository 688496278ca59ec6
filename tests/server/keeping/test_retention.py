"""What is due is in files before it is gone, or it stays; and the room is used again."""

import json
import subprocess
import time

import duckdb
import polars as pl
import pytest

from server.config import InvalidSettings, Settings
from server.keeping import exporting, retention
from server.keeping.due import Rules, rules_of
from server.keeping.exporting import NotExported
from server.keeping.retention import prune
from server.keeping.space import space_of
from tests.server.keeping.conftest import HOURS_AGO, asked, command


def filed(folder):
    """Return the ids of the predictions in all files under `folder`."""
    query = f"SELECT prediction_id::VARCHAR FROM read_parquet('{folder}/**/*.parquet')"
    return [each for (each,) in duckdb.sql(query).fetchall()]


COUNT = "SELECT count(*) FROM predictions"


def rules(to, days=1.0, n_bytes=0):
    return Rules(days=days, bytes=n_bytes, export_dir=to, commit_timeout_s=10)


def test_what_is_removed_is_in_files_and_nothing_else_is_removed(database, opened, tmp_path):
    log = opened(database)
    before = {each for (each,) in asked(log, "SELECT prediction_id::VARCHAR FROM predictions")}

    steps = list(prune(log, rules(tmp_path / "out")))

    kept = {each for (each,) in asked(log, "SELECT prediction_id::VARCHAR FROM predictions")}
    written = filed(tmp_path / "out")
    assert len(kept) == 100
    assert len(written) == 150
    assert kept | set(written) == before
    assert [step.rows for step in steps if step.kind == "removed"] == [150]
    assert [step.kind for step in steps][0 :: len(steps) - 1] == ["space", "space"]


def test_a_dry_run_says_what_is_due_and_changes_nothing(database, opened, tmp_path):
    log = opened(database)

    steps = list(prune(log, rules(tmp_path / "out"), dry_run=True))

    assert [step.rows for step in steps if step.kind == "due"] == [150]
    assert asked(log, COUNT) == [(250,)]
    assert not (tmp_path / "out").exists()


def test_an_hour_that_runs_is_never_removed(database, opened, tmp_path):
    log = opened(database)

    list(prune(log, rules(tmp_path / "out", days=1e-9)))

    assert asked(log, COUNT) == [(50,)]


def test_nothing_is_removed_where_files_cannot_be_written(database, opened, tmp_path):
    (tmp_path / "out").write_text("a file where a folder should be")
    log = opened(database)

    with pytest.raises(OSError, match="out"):
        list(prune(log, rules(tmp_path / "out")))

    assert asked(log, COUNT) == [(250,)]


def test_nothing_is_removed_where_the_disk_of_the_files_is_full(database, opened, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    log = opened(database)

    try:
        with pytest.raises(OSError, match="No space left"):
            list(prune(log, rules(small / "out")))
        left = [path for path in small.rglob("*") if path.name.startswith(".")]
    finally:
        subprocess.run(["umount", str(small)], check=True)

    assert asked(log, COUNT) == [(250,)]
    assert left == []


def test_nothing_is_removed_that_a_file_should_hold_and_does_not(
    database, opened, tmp_path, monkeypatch
):
    log = opened(database)

    def forgets(source, to, **given):
        """Write all files, and lose one, as a disk may."""
        parts = list(export(source, to, **given))
        next(to.rglob("*.parquet")).unlink()
        return iter(parts)

    export = exporting.export
    monkeypatch.setattr(exporting, "export", forgets)
    with pytest.raises(NotExported, match=r"50 predictions of sdss on .* are in no file"):
        list(prune(log, rules(tmp_path / "out")))

    assert asked(log, COUNT) == [(250,)]


def test_a_removal_that_was_interrupted_goes_on_and_loses_nothing(
    database, opened, tmp_path, monkeypatch
):
    monkeypatch.setattr(retention, "PIECE_ROWS", 7)
    log = opened(database)
    before = {each for (each,) in asked(log, "SELECT prediction_id::VARCHAR FROM predictions")}
    pieces = iter(range(100))

    list(prune(log, rules(tmp_path / "out"), is_stopping=lambda: next(pieces) > 6))
    n_left = asked(log, COUNT)[0][0]
    list(prune(log, rules(tmp_path / "out")))

    assert 100 < n_left < 250
    kept = {each for (each,) in asked(log, "SELECT prediction_id::VARCHAR FROM predictions")}
    written = filed(tmp_path / "out")
    assert len(kept) == 100
    assert len(written) == len(set(written)) == 150
    assert kept | set(written) == before


def test_without_export_is_said_in_so_many_words(database, opened, tmp_path):
    settings = Settings(keep_days=1)
    told = Settings(keep_days=1, export_dir=type(tmp_path)("without export"))

    assert Rules.of(settings).export_dir == type(tmp_path)("data/export")
    assert Rules.of(told).export_dir is None
    assert rules_of(settings, None, None, without_export=True).export_dir is None
    log = opened(database)
    list(prune(log, Rules.of(told)))
    assert asked(log, COUNT) == [(100,)]
    assert {path.name for path in tmp_path.iterdir()} <= {
        "predictions.duckdb",
        "predictions.duckdb.wal",
    }


def test_a_command_that_does_not_say_how_much_to_keep_removes_nothing(database):
    with pytest.raises(InvalidSettings, match="how much to keep"):
        rules_of(Settings(), None, None, without_export=False)

    done = command(database, "prune")

    assert done.returncode == 1
    assert "SEXTANT_KEEP_DAYS" in done.stderr


@pytest.mark.parametrize("days", ["nan", "-1", "inf"])
def test_an_age_that_is_none_is_refused(database, days):
    done = command(database, "prune", f"--days={days}")

    assert done.returncode == 1
    assert "SEXTANT_KEEP_DAYS" in done.stderr


def test_by_size_the_oldest_hours_go_until_the_rest_fits(database, opened, tmp_path):
    with duckdb.connect(str(database)) as connection:
        ((table,),) = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name ^@ 'stored_'"
        ).fetchall()
        connection.execute(
            f"INSERT INTO {table} SELECT t.* REPLACE (uuidv7() AS prediction_id, "
            "predicted_at - to_hours(300 - range // 4) AS predicted_at, random()::FLOAT AS u) "
            f"FROM {table} t, range(800) ORDER BY range"
        )
    log = opened(database)
    log.change(lambda writer: writer.execute("CHECKPOINT"))
    with log.cursor() as cursor:
        whole = space_of(cursor, database)
    oldest, newest = asked(log, "SELECT min(predicted_at), max(predicted_at) FROM predictions")[0]

    list(prune(log, rules(tmp_path / "out", days=0, n_bytes=whole.used_bytes // 3)))

    with log.cursor() as cursor:
        now = space_of(cursor, database)
    left = asked(log, "SELECT min(predicted_at), max(predicted_at), count(*) FROM predictions")[0]
    assert left[0] > oldest
    assert left[1] == newest
    # No more than was needed, though blocks are freed in groups of 122,880 rows only.
    assert 60_000 < left[2] < 68_000
    assert now.used_bytes < 0.6 * whole.used_bytes


def test_labels_go_with_their_predictions_into_a_file_beside(database, opened, tmp_path):
    log = opened(database)
    ((old,), (new,)) = asked(
        log,
        "(SELECT prediction_id FROM predictions ORDER BY predicted_at LIMIT 1) UNION ALL "
        "(SELECT prediction_id FROM predictions ORDER BY predicted_at DESC LIMIT 1)",
    )
    given = [
        (80, old, None),
        (80, None, "object 1 of 80 h ago"),
        (80, None, "nobody's"),
        (80, new, None),
        (80, None, "object 1"),
        (1, old, None),
    ]
    for row in given:
        log.change(
            lambda writer, row=row: writer.execute(
                "INSERT INTO given_labels SELECT now()::TIMESTAMP - to_hours(?), ?, ?, 'STAR', "
                "NULL, NULL, 'me', 'r'",
                list(row),
            )
        )

    list(prune(log, rules(tmp_path / "out")))

    assert asked(log, "SELECT id, prediction_id FROM given_labels ORDER BY ALL") == sorted(
        [(None, old), ("object 1", None), (None, new)], key=lambda row: (row[0] or "~", row[1])
    )
    labels = pl.read_parquet(tmp_path / "out.labels")
    assert set(labels["id"]) == {None, "object 1 of 80 h ago", "nobody's"}
    assert labels.height == 3


def test_a_log_from_before_labels_is_pruned_as_well(database, opened, tmp_path):
    with duckdb.connect(str(database)) as connection:
        connection.execute("DROP VIEW IF EXISTS judged; DROP VIEW IF EXISTS labels")
        connection.execute("DROP TABLE given_labels")

    list(prune(opened(database), rules(tmp_path / "out")))


def test_the_route_streams_what_it_does_and_takes_json_alone(make_app, database, tmp_path):
    client = make_app(database=database, export_dir=tmp_path / "out").test_client()

    form = client.post("/prune", data={"days": "1"})
    wrong = client.post("/prune", json={"dayz": 1})
    nothing = client.post("/prune", json={})
    done = client.post("/prune", json={"days": 1})

    assert (form.status_code, wrong.status_code, nothing.status_code) == (415, 400, 400)
    assert "dayz" in wrong.json["detail"]
    steps = [json.loads(line) for line in done.text.splitlines()]
    done.close()
    assert [step["rows"] for step in steps if step["kind"] == "removed"] == [150]
    assert client.get("/predictions?limit=500").json["predictions"][100:] == []
    assert client.post("/prune", json={"days": 1}).status_code == 200


@pytest.mark.slow
def test_a_server_removes_in_the_background_and_stops_in_order(database, tmp_path, start_server):
    server = start_server(database, keep_days=1, export_dir=tmp_path / "out")

    def left():
        return server.get("/sql.json?q=SELECT+count(*)+FROM+predictions")[1]["rows"][0][0]

    deadline = time.monotonic() + 30
    while left() != 100 and time.monotonic() < deadline:
        time.sleep(0.1)
    n_left = left()

    assert n_left == 100
    assert server.stop() == 0
    assert pl.read_parquet(tmp_path / "out").height == 50 * (len(HOURS_AGO) - 1)
    assert {path.name for path in tmp_path.iterdir()} == {"predictions.duckdb", "out"}


@pytest.mark.slow
def test_the_command_asks_the_server_that_has_the_log(database, tmp_path, start_server):
    server = start_server(database, export_dir=tmp_path / "out")

    done = command(database, "prune", "--days", "1", "--url", server.url)

    assert done.returncode == 0, done.stderr
    assert "removed: 150 predictions" in done.stdout
    assert "before: " in done.stdout
    assert "after: " in done.stdout
