"""A backup of a log that is written, and what becomes of it: whole, readable, put in its place."""

import os
import shutil
import subprocess
import sys
import threading

import duckdb
import pytest

from server.commands.backup import back_up
from server.config import Settings
from server.keeping.copying import CopyFailed, check_copy
from server.keeping.restoring import restore
from server.storage.checksums import checksum
from server.storage.database import LogUnusable
from tests.server.conftest import OBJECT, ROOT, SHIPPED

ROWS = [{**OBJECT, "redshift": k / 50, "id": f"object {k}"} for k in range(50)]


@pytest.fixture
def log(make_app, tmp_path):
    """A stopped log of fifty rows."""
    app = make_app()
    assert app.test_client().post("/predict", json=ROWS).status_code == 200
    app.extensions["sextant"].log.close()
    return tmp_path / "predictions.duckdb"


def settings_of(database):
    return Settings(model=SHIPPED, database=database)


def command(database, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "server", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "SEXTANT_DATABASE": str(database), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def ids_in(path):
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("SELECT prediction_id::VARCHAR FROM predictions").fetchall()
    return {each for (each,) in rows}


def test_a_backup_has_tables_and_views_and_is_for_duckdb_from_1_4_on(log, tmp_path):
    back_up(settings_of(log), tmp_path / "copy.duckdb", None)

    with duckdb.connect(str(tmp_path / "copy.duckdb")) as copy:
        ((tags,),) = copy.execute(
            "SELECT tags FROM duckdb_databases() WHERE database_name = 'copy'"
        ).fetchall()
        assert copy.execute("SELECT count(*), count(DISTINCT id) FROM predictions").fetchall() == [
            (50, 50)
        ]
    assert tags["storage_version"] == "v1.4.0+"
    assert {path.name for path in tmp_path.iterdir()} == {"predictions.duckdb", "copy.duckdb"}


def test_a_server_starts_on_a_backup_and_goes_on(log, tmp_path, make_app):
    back_up(settings_of(log), tmp_path / "copy.duckdb", None)

    client = make_app(database=tmp_path / "copy.duckdb").test_client()
    assert client.post("/predict", json=OBJECT).status_code == 200

    assert len(client.get("/predictions?limit=100").json["predictions"]) == 51


def test_a_backup_overwrites_nothing(log, tmp_path):
    (tmp_path / "copy.duckdb").write_text("mine")

    with pytest.raises(CopyFailed, match="there is something already"):
        back_up(settings_of(log), tmp_path / "copy.duckdb", None)

    assert (tmp_path / "copy.duckdb").read_text() == "mine"


def test_a_copy_with_rows_missing_is_found_out(log):
    with pytest.raises(CopyFailed, match="should hold"):
        check_copy(log, {"stored_0": 51})


def test_a_route_for_backups_answers_to_this_machine_alone(client, make_app, tmp_path):
    elsewhere = make_app(
        host="0.0.0.0",  # noqa: S104  # what is refused
        open_to_all="predict",
        database=tmp_path / "b.duckdb",
    ).test_client()

    assert elsewhere.get("/backup.duckdb").status_code == 403
    assert client.get("/backup.duckdb", headers={"Host": "evil.example"}).status_code == 403
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}
    assert client.get("/backup.duckdb", headers=foreign).status_code == 403


def test_a_backup_is_not_begun_where_it_would_fill_the_disk(client, monkeypatch, tmp_path):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=1_000))

    answer = client.get("/backup.duckdb")

    assert answer.status_code == 507
    assert "1,000 are free" in answer.json["detail"]


def test_a_restore_moves_the_log_aside_and_changes_nothing_of_the_backup(log, tmp_path, make_app):
    copy = tmp_path / "copy.duckdb"
    back_up(settings_of(log), copy, None)
    before = copy.read_bytes()
    app = make_app(database=log)
    app.test_client().post("/predict", json=OBJECT)
    app.extensions["sextant"].log.close()

    rows, aside = restore(copy, log)

    assert sum(rows.values()) == len(ids_in(log)) == 50
    assert len(ids_in(aside)) == 51
    assert copy.read_bytes() == before


def test_a_restore_takes_the_write_ahead_log_of_a_killed_server_along(tmp_path, start_server):
    server = start_server()
    answered = server.post("/predict", ROWS)[1]["predictions"]
    server.process.kill()
    server.process.wait()
    assert (tmp_path / "predictions.duckdb.wal").stat().st_size

    restore(tmp_path / "predictions.duckdb", tmp_path / "new" / "log.duckdb")

    assert ids_in(tmp_path / "new" / "log.duckdb") == {each["prediction_id"] for each in answered}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["log.duckdb"]


def test_a_restore_waits_for_no_server_to_have_the_log(log, tmp_path):
    back_up(settings_of(log), tmp_path / "copy.duckdb", None)
    held = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()",
            str(log),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    held.stdout.readline()

    with pytest.raises(LogUnusable, match="another process has it open"):
        restore(tmp_path / "copy.duckdb", log)

    held.communicate(b"\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.duckdb", "predictions.duckdb"]


def _torn(path):
    path.write_bytes(path.read_bytes()[: -path.stat().st_size // 2])


def _of_text(path):
    path.write_text("not a database")


def _of_another_program(path):
    path.unlink()
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 1 AS a")


def _newer(path):
    content = bytearray(path.read_bytes())
    content[12:20] = (99).to_bytes(8, "little")
    content[:8] = checksum(bytes(content[8:4096])).to_bytes(8, "little")
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_torn, "damaged"),
        (_of_text, "this is no DuckDB database"),
        (_of_another_program, "cannot be read as a log"),
        (_newer, "does not know this version of the format"),
    ],
)
def test_what_is_no_whole_log_is_not_restored(log, tmp_path, spoil, told):
    copy = tmp_path / "copy.duckdb"
    back_up(settings_of(log), copy, None)
    spoil(copy)

    with pytest.raises(CopyFailed, match=told):
        restore(copy, log)

    assert len(ids_in(log)) == 50
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.duckdb", "predictions.duckdb"]


def test_an_old_log_is_taken_up_by_a_new_server(log, tmp_path, make_app):
    """As one has it that the first version wrote: one table, two views, an older format."""
    old = tmp_path / "old.duckdb"
    with duckdb.connect(config={"storage_compatibility_version": "v1.0.0"}) as connection:
        connection.execute(f"ATTACH '{old}' AS old")
        connection.execute(f"ATTACH '{log}' AS now (READ_ONLY)")
        kept = (
            "(SELECT table_name AS name, sql FROM duckdb_tables() UNION ALL SELECT view_name, sql "
        )
        kept += "FROM duckdb_views() WHERE view_name LIKE 'predictions_%')"
        made = connection.execute(
            f"SELECT DISTINCT name, sql FROM {kept} WHERE name ~ '(stored|predictions)_[0-9a-f]+' "
            "ORDER BY name DESC"
        ).fetchall()
        connection.execute("USE old")
        for name, sql in made:
            connection.execute(sql.replace("now.", "").replace("main.", ""))
            if name.startswith("stored_"):
                connection.execute(f"INSERT INTO {name} FROM now.main.{name}")

    app = make_app(database=old)
    client = app.test_client()

    assert client.post("/predict", json=OBJECT).status_code == 200
    assert len(client.get("/predictions?limit=100").json["predictions"]) == 51
    assert client.get("/sql.json?q=SELECT count(*) FROM predictions").json["rows"] == [[51]]


@pytest.mark.slow
def test_a_backup_under_load_holds_all_that_was_answered_before_it(tmp_path, start_server):
    server = start_server()
    answered, is_over = [], threading.Event()

    def post():
        while not is_over.is_set():
            status, answer = server.post("/predict", ROWS[:8])
            assert status == 200
            answered.extend(each["prediction_id"] for each in answer["predictions"])

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(answered) < 500:
        pass
    known = set(answered)
    done = command(
        tmp_path / "predictions.duckdb", "backup", tmp_path / "b.duckdb", "--url", server.url
    )
    after = len(answered)
    is_over.set()
    for thread in threads:
        thread.join()
    assert server.stop() == 0

    assert done.returncode == 0, done.stderr
    assert after > len(known)
    kept = ids_in(tmp_path / "b.duckdb")
    assert known <= kept
    restored = command(tmp_path / "predictions.duckdb", "restore", tmp_path / "b.duckdb")
    assert restored.returncode == 0, restored.stderr
    assert ids_in(tmp_path / "predictions.duckdb") == kept
    again = start_server()
    assert again.get(f"/predictions/{min(known)}")[0] == 200
