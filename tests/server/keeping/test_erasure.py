"""What is erased is nowhere in the log, with its labels and kept answers; files are named."""

import subprocess
import uuid

import duckdb
import polars as pl
import pytest

from server.keeping.erased_files import find_files, rewrite
from server.keeping.erasure import Person, erase
from server.keeping.restoring import compact
from server.keeping.retention import prune
from tests.server.conftest import OBJECT
from tests.server.keeping.conftest import asked, command
from tests.server.keeping.test_retention import rules

SECRET = f"patient {uuid.UUID(int=7)}"


def pruned(client):
    with client.post("/prune", json={"days": 1}) as answer:
        assert '"removed"' in answer.text


@pytest.fixture
def log(database, opened):
    """Three predictions of one person, one of them two days old, with labels and kept answers."""
    with duckdb.connect(str(database)) as connection:
        ((table,),) = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name ^@ 'stored_'"
        ).fetchall()
        for hours in (0, 0, 48):
            connection.execute(
                f"INSERT INTO {table} SELECT * REPLACE (uuidv7() AS prediction_id, $id AS id, "
                f"predicted_at - to_hours($hours) AS predicted_at) FROM {table} "
                "WHERE id = 'object 1'",
                {"id": SECRET, "hours": hours},
            )
        connection.execute(
            "INSERT INTO given_labels (received_at, prediction_id, label) "
            "SELECT now()::TIMESTAMP, prediction_id, 'STAR' FROM predictions WHERE id IN "
            "($id, 'object 2')",
            {"id": SECRET},
        )
        connection.execute(
            "INSERT INTO given_labels (received_at, id, label) VALUES "
            "(now()::TIMESTAMP, $id, 'QSO'), (now()::TIMESTAMP, 'object 2', 'QSO')",
            {"id": SECRET},
        )
        connection.execute("CREATE TABLE idempotency_keys (key VARCHAR, answer VARCHAR)")
        connection.execute(
            "INSERT INTO idempotency_keys SELECT 'k' || id, to_json({'id': prediction_id}) "
            "FROM predictions WHERE id IN ($id, 'object 2')",
            {"id": SECRET},
        )
    return opened(database)


def test_all_under_an_id_go_with_their_labels_and_kept_answers(log):
    erased = erase(log, Person(caller_id=SECRET))

    assert len(erased.prediction_ids) == 3
    assert {name[:6]: rows for name, rows in erased.rows.items()} == {
        "stored": 3,
        "given_": 4,
        "idempo": 3,
    }
    assert asked(log, "SELECT count(*) FROM predictions WHERE id = $1", [SECRET]) == [(0,)]
    assert asked(log, "SELECT count(*) FROM predictions") == [(250,)]
    assert asked(log, "SELECT count(*), count(id) FROM given_labels") == [(2, 1)]
    assert asked(log, "SELECT key FROM idempotency_keys") == [("kobject 2",)]


def test_a_label_is_erased_whose_prediction_is_in_a_file_only(make_app, database, tmp_path):
    app = make_app(database=database, export_dir=tmp_path / "out")
    client, log = app.test_client(), app.extensions["sextant"].log
    log.change(
        lambda writer: writer.execute(
            "INSERT INTO given_labels (received_at, prediction_id) SELECT now()::TIMESTAMP, "
            "prediction_id FROM predictions WHERE id = 'object 1 of 80 h ago'"
        )
    )
    pruned(client)
    kept = asked(log, "SELECT count(*) FROM given_labels")

    client.delete("/predictions?id=object 1 of 80 h ago")

    assert (kept, asked(log, "SELECT count(*) FROM given_labels")) == ([(1,)], [(0,)])


def test_a_label_under_an_id_stays_while_another_prediction_bears_it(log):
    (first, *others), _ = zip(
        *asked(log, "SELECT prediction_id, id FROM predictions WHERE id = $1", [SECRET]),
        strict=True,
    )

    erase(log, Person(prediction_id=first))
    kept = asked(log, "SELECT count(*) FROM given_labels WHERE id = $1", [SECRET])
    for each in others:
        erase(log, Person(prediction_id=each))

    assert kept == [(1,)]
    assert asked(log, "SELECT count(*) FROM given_labels WHERE id = $1", [SECRET]) == [(0,)]


def test_labels_of_predictions_that_are_no_more_are_erased(log):
    gone = uuid.uuid4()
    log.change(
        lambda writer: writer.execute(
            "INSERT INTO given_labels (received_at, prediction_id, id) VALUES "
            "(now()::TIMESTAMP, $1, NULL), (now()::TIMESTAMP, NULL, 'nobody')",
            [gone],
        )
    )

    assert erase(log, Person(prediction_id=gone)).rows == {"given_labels": 1}
    assert erase(log, Person(caller_id="nobody")).rows == {"given_labels": 1}
    assert erase(log, Person(caller_id="nobody")).rows == {}


def test_a_log_without_labels_and_kept_answers_is_erased_as_well(database, opened):
    with duckdb.connect(str(database)) as connection:
        connection.execute("DROP VIEW IF EXISTS judged; DROP VIEW IF EXISTS labels")
        connection.execute("DROP TABLE given_labels")

    erased = erase(opened(database), Person(caller_id="object 1"))

    assert len(erased.prediction_ids) == 1


@pytest.mark.parametrize(
    "odd", ["", "%", "' OR 1=1 --", "Ünïcødé \U0001f52d", "a&b=c#d", "x" * 100]
)
def test_an_id_is_a_text_and_nothing_else(make_app, tmp_path, odd):
    client = make_app(export_dir=tmp_path / "none").test_client()
    assert (
        client.post("/predict", json=[{**OBJECT, "id": odd}, {**OBJECT, "id": "o"}]).status_code
        == 200
    )

    answer = client.delete("/predictions", query_string={"id": odd})

    assert len(answer.json["prediction_ids"]) == 1
    left = client.get("/predictions").json["predictions"]
    assert [row["id"] for row in left] == ["o"]


def test_the_files_that_hold_it_are_named_and_can_be_written_anew(log, tmp_path):
    out, person = tmp_path / "out", Person(caller_id=SECRET)
    # Labels came before the predictions that go.
    log.change(
        lambda w: w.execute("UPDATE given_labels SET received_at = received_at - INTERVAL 3 DAY")
    )
    list(prune(log, rules(out)))
    (out / "model=sdss" / "torn.parquet").write_bytes(b"PAR1 and no more")
    before = pl.read_parquet(out / "model=sdss" / "date=*" / "*" / "*.parquet").height

    erased = erase(log, person)
    found = list(find_files(out, person, erased.prediction_ids))
    for holding in found:
        if holding.rows:
            rewrite(holding, person)

    assert sorted((each.rows or 0) for each in found) == [0, 1, 1]
    assert {each.path.name for each in found if each.rows is None} == {"torn.parquet"}
    assert any("out.labels" in str(each.path) for each in found)
    after = pl.read_parquet(out / "model=sdss" / "date=*" / "*" / "*.parquet")
    assert after.height == before - 1
    assert SECRET not in set(after["id"])
    (torn,) = find_files(out, person, erased.prediction_ids)
    assert torn.rows is None
    # Another run finds all of the log in its files, and restores nothing.
    assert [step for step in prune(log, rules(out)) if step.kind == "exported"] == []


def test_the_route_erases_and_names_the_files(make_app, database, tmp_path):
    client = make_app(database=database, export_dir=tmp_path / "out").test_client()
    pruned(client)
    row = client.get("/predictions").json["predictions"][0]
    path = f"/predictions/{row['prediction_id']}"

    answer = client.delete(path)

    assert answer.json["prediction_ids"] == [row["prediction_id"]]
    assert client.get(path).status_code == 404
    assert client.delete(path).json == {"prediction_ids": [], "rows": {}, "exports": []}
    of_old = client.delete("/predictions?id=object 1 of 80 h ago").json
    assert of_old["prediction_ids"] == []
    assert [each["rows"] for each in of_old["exports"]] == [1]
    assert client.delete("/predictions").status_code == 400
    assert client.delete("/predictions?id=a&id=b").status_code == 400
    assert client.delete("/predictions?id=a&x=b").status_code == 400
    foreign = client.delete("/predictions?id=object 1", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403


def test_only_a_log_written_anew_is_without_the_bytes_of_what_was_erased(make_app, tmp_path):
    database, copy = tmp_path / "predictions.duckdb", tmp_path / "copy"
    app = make_app(database=database)
    client = app.test_client()
    secret = f"patient-{uuid.uuid4().hex}"
    rows = [{**OBJECT, "id": uuid.uuid4().hex} for _ in range(2_000)]
    client.post("/predict", json=[*rows, {**OBJECT, "id": secret}])
    app.extensions["sextant"].log.change(lambda writer: writer.execute("CHECKPOINT"))
    # By another process: closing the file in this one would let go of the lock.
    subprocess.run(["cp", database, copy], check=True)
    stored = secret.encode() in copy.read_bytes()

    erased = client.delete(f"/predictions?id={secret}").json
    app.extensions["sextant"].log.close()
    compact(database)

    assert len(erased["prediction_ids"]) == 1
    assert stored
    assert secret.encode() not in database.read_bytes()


@pytest.mark.slow
def test_the_command_erases_through_the_server_and_writes_files_anew(
    database, tmp_path, start_server
):
    server = start_server(database, export_dir=tmp_path / "out")
    assert command(database, "prune", "--days", "1", "--url", server.url).returncode == 0
    exports = ["--exports", str(tmp_path / "out"), "--url", server.url]

    told = command(database, "erase", "--id", "object 1 of 80 h ago", *exports)
    done = command(database, "erase", "--id", "object 1 of 80 h ago", *exports, "--rewrite-exports")
    again = command(database, "erase", "--id", "object 1", *exports)

    assert "holds 1 rows" in told.stdout
    assert "written anew without 1 rows" in done.stdout
    assert "erased 1 predictions" in again.stdout
    assert again.returncode == 0, again.stderr
    query = f"SELECT count(*) FROM read_parquet('{tmp_path}/out/**/*.parquet')"
    assert duckdb.sql(query).fetchall() == [(149,)]
