"""SQL over HTTP: what programs ask and get, and who is not answered."""

import io
import json
import threading
import time

import pandas as pd
import polars as pl
import pytest

from tests.server.conftest import OBJECT

ROWS = [{**OBJECT, "redshift": k / 50, "id": f"object {k}"} for k in range(50)]


@pytest.fixture
def filled(client):
    assert client.post("/predict", json=ROWS).status_code == 200
    return client


def ask(client, query, form="json", **given):
    answer = client.get(f"/sql.{form}", query_string={"q": query, **given})
    answer.get_data()
    answer.close()
    return answer


def test_rows_come_with_their_columns_as_json(filled):
    answer = ask(filled, "SELECT label, u, count(*) AS n FROM predictions GROUP BY ALL ORDER BY 3")

    assert answer.json["columns"] == [
        {"name": "label", "type": "VARCHAR"},
        {"name": "u", "type": "FLOAT"},
        {"name": "n", "type": "BIGINT"},
    ]
    assert sum(row[2] for row in answer.json["rows"]) == 50
    assert {row[1] for row in answer.json["rows"]} == {19.47406}
    assert answer.json["truncated"] is False


def test_a_post_is_answered_as_a_get(filled):
    query = "SELECT count(*) FROM predictions WHERE id = $id"

    answer = filled.post("/sql.json", data={"q": query, "id": "object 7"})

    assert answer.json["rows"] == [[1]]


def test_parameters_are_bound_and_not_pasted(filled):
    query = "SELECT count(*) FROM predictions WHERE label = $label"

    assert ask(filled, query, label="' OR true --").json["rows"] == [[0]]
    assert ask(filled, query, label="GALAXY").json["rows"][0][0] > 0


@pytest.mark.parametrize(
    ("query", "given", "told"),
    [
        ("SELECT $label", {}, "$label has no value: give label=... with the query"),
        ("SELECT 1", {"label": "x"}, "label is given, but $label stands nowhere in the query"),
    ],
)
def test_values_that_do_not_match_the_query_are_told(filled, query, given, told):
    answer = ask(filled, query, **given)

    assert (answer.status_code, answer.json["detail"]) == (400, told)


def test_numbers_are_compared_with_what_the_address_says(filled):
    query = "SELECT count(*) FROM predictions WHERE redshift < $most AND predicted_at > $since"

    answer = ask(filled, query, most="0.5", since="2020-01-01")

    assert answer.json["rows"] == [[25]]


def test_a_mistake_has_duckdbs_words_and_its_place(filled):
    answer = ask(filled, "SELECT label,\n  lable FROM predictions")

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert 'Referenced column "lable" not found' in answer.json["detail"]
    assert (answer.json["position"], answer.json["line"], answer.json["column"]) == (16, 2, 3)


def test_a_refusal_names_its_place_behind_letters_of_several_bytes(filled):
    answer = ask(filled, "SELECT 'é☉', getenv('HOME')")

    assert answer.json["detail"] == "the function getenv is not available here"
    assert answer.json["position"] == 13


def test_csv_is_read_back(filled):
    answer = ask(filled, "SELECT * FROM predictions ORDER BY prediction_id", "csv")

    table = pd.read_csv(io.BytesIO(answer.data))
    assert answer.content_type.startswith("text/csv")
    assert answer.content_length == len(answer.data)
    assert table["id"].tolist() == [row["id"] for row in ROWS]
    assert set(json.loads(table["probabilities"][0])) == {"GALAXY", "QSO", "STAR"}


def test_ndjson_has_a_line_a_row_and_nothing_that_is_not_json(filled):
    query = "SELECT id, u, 'nan'::DOUBLE AS a, '-inf'::FLOAT AS b, warnings FROM predictions"

    lines = ask(filled, query, "ndjson").data.splitlines()

    first = json.loads(lines[0], parse_constant=pytest.fail)
    assert len(lines) == 50
    assert (first["u"], first["a"], first["b"], first["warnings"]) == (19.47406, None, None, [])


def test_parquet_keeps_the_types(filled):
    answer = ask(filled, "SELECT * FROM predictions", "parquet")

    table = pl.read_parquet(io.BytesIO(answer.data))
    assert table.height == 50
    assert table.schema["u"] == pl.Float32
    assert table.schema["predicted_at"] == pl.Datetime("us")
    assert [field.name for field in table.schema["probabilities"].fields] == [
        "GALAXY",
        "QSO",
        "STAR",
    ]


def test_more_rows_than_may_be_are_cut_in_json_and_refused_as_a_file(make_app):
    client = make_app(query_max_rows=10).test_client()
    client.post("/predict", json=ROWS)

    cut, refused = ask(client, "FROM predictions"), ask(client, "FROM predictions", "csv")

    assert (len(cut.json["rows"]), cut.json["truncated"]) == (10, True)
    assert refused.status_code == 422
    assert "more than 10 rows, SEXTANT_QUERY_MAX_ROWS" in refused.json["detail"]


def test_a_query_that_takes_too_long_is_ended(make_app):
    client = make_app(query_timeout_s=0.2).test_client()

    answer = ask(client, "SELECT sum(range) FROM range(1000000000000)")

    assert answer.status_code == 422
    assert "longer than 0.2 s, SEXTANT_QUERY_TIMEOUT_S" in answer.json["detail"]


@pytest.mark.slow
def test_a_third_query_at_once_is_told_to_come_again(make_app):
    app = make_app(query_timeout_s=3)
    query = "SELECT sum(range) FROM range(100000000000000)"
    slow = [threading.Thread(target=ask, args=(app.test_client(), query)) for _ in range(2)]
    for thread in slow:
        thread.start()

    free, deadline = app.extensions["sextant-sql"].queries._free, time.monotonic() + 2
    while free._value and time.monotonic() < deadline:
        time.sleep(0.01)

    answer = ask(app.test_client(), "SELECT 1")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "2 queries run already" in answer.json["detail"]
    for thread in slow:
        thread.join()
    assert ask(app.test_client(), "SELECT 1").status_code == 200


def test_without_a_query_the_problem_says_how(client):
    answer = client.get("/sql.csv")

    assert answer.status_code == 400
    assert answer.json["detail"].startswith("q is missing")


@pytest.mark.parametrize("path", ["/sql", "/sql.json?q=SELECT 1", "/sql.parquet?q=SELECT 1"])
def test_beyond_loopback_sql_wants_a_key(make_app, path):
    client = make_app(host="0.0.0.0", open_to_all="predict,read").test_client()  # noqa: S104  # that is what is tested

    answer = client.get(path)

    assert answer.status_code == 403
    assert "wants a key with the scope sql" in answer.json["detail"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "10.0.0.1", "localhost.evil"]
)
def test_a_foreign_name_for_this_machine_is_not_answered(client, host):
    answer = client.get("/sql.json?q=SELECT 1", headers={"Host": host})

    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "127.0.0.2:1", "[::1]:8080"])
def test_the_names_of_this_machine_are_answered(client, host):
    assert client.get("/sql.json?q=SELECT 1", headers={"Host": host}).status_code == 200


def test_a_query_that_a_log_in_doubt_cuts_off_may_be_asked_again(app, filled):
    answers = []
    query = "SELECT sum(a.u * b.u * c.u * d.u * e.u * f.u) FROM " + ", ".join(
        f"predictions {name}" for name in "abcdef"
    )
    asking = threading.Thread(target=lambda: answers.append(ask(filled, query)))
    log = app.extensions["sextant"].log._writer._log
    asking.start()

    while asking.is_alive() and not log._readers:
        time.sleep(0.01)
    time.sleep(0.3)
    log._send_readers_away()

    asking.join(10)
    (answer,) = answers
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "opened anew" in answer.json["detail"]
    assert ask(filled, "SELECT 1").status_code == 200


def test_a_page_elsewhere_cannot_keep_the_server_busy(client):
    image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}

    assert client.get("/sql.csv?q=SELECT 1", headers=image).status_code == 403
    assert client.get("/sql?q=SELECT 1", headers=link).status_code == 200


def test_nothing_is_left_of_a_download(make_app, tmp_path):
    client = make_app().test_client()

    ask(client, "FROM predictions", "parquet")

    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_what_a_killed_server_left_is_removed(make_app, tmp_path):
    folder = tmp_path / "predictions.duckdb.queries"
    folder.mkdir()
    (folder / "half").write_bytes(b"x")

    make_app()

    assert not folder.exists()


def test_values_of_every_type_are_json(client):
    query = (
        "SELECT 170141183460469231731687303715884105727, 'a\0b', '\\x00\\xFF'::BLOB, "
        "INTERVAL 1 DAY, TIME '10:00', DATE '2026-01-02', TIMESTAMP '2026-01-02 03:04:05', "
        "1.50::DECIMAL(9,2), [1.5::FLOAT, NULL], {'a': 0.1::FLOAT}, MAP {'k': 1}, true, NULL, "
        "'infinity'::TIMESTAMP, '101'::BIT, row(1, 'x'), 0.1::FLOAT, 1e-7::FLOAT, "
        "[[0.1::FLOAT]], [{'p': 0.1::FLOAT}]"
    ).replace("\0", "")

    answer = ask(client, query.replace("MAP {'k': 1}", "1::UTINYINT"))

    (row,) = json.loads(answer.data, parse_constant=pytest.fail)["rows"]
    assert row == [
        170141183460469231731687303715884105727,
        "ab",
        "\\x00\\xFF",
        "1 day",
        "10:00:00",
        "2026-01-02",
        "2026-01-02T03:04:05.000000Z",
        1.5,
        [1.5, None],
        {"a": 0.1},
        1,
        True,
        None,
        None,
        "101",
        "(1, x)",
        0.1,
        1e-07,
        [[0.1]],
        [{"p": 0.1}],
    ]


def test_columns_of_one_name_are_told_apart(client):
    answer = ask(client, 'SELECT 1 AS a, 2 AS a, 3 AS "x \'y"""')

    assert [column["name"] for column in answer.json["columns"]] == ["a", "a_1", "x 'y\""]
    assert answer.json["rows"] == [[1, 2, 3]]


@pytest.mark.slow
def test_pandas_and_polars_read_from_the_address(start_server):
    server = start_server()
    server.post("/predict", ROWS)
    query = "?q=SELECT+id,u,label+FROM+predictions+ORDER+BY+prediction_id"

    parquet = pd.read_parquet(f"{server.url}/sql.parquet{query}")
    csv = pd.read_csv(f"{server.url}/sql.csv{query}")
    lines = pd.read_json(f"{server.url}/sql.ndjson{query}", lines=True)

    assert parquet["id"].tolist() == csv["id"].tolist() == lines["id"].tolist()
    assert parquet["u"].dtype == "float32"
    assert pl.from_pandas(parquet).height == 50
