import csv
import gzip
import io
import json
from datetime import datetime

import numpy as np
import pyarrow.parquet as pq
import pytest

from server.tables.media import CSV, JSON, NDJSON, PARQUET
from tests.server.conftest import OBJECT
from tests.server.tables.conftest import as_csv, parquet

ROWS = [
    {**OBJECT, "redshift": -8.96e-06, "id": "one"},
    {**OBJECT, "u": 25.0, "redshift": None, "id": 'say "two", or\n2'},
    {**OBJECT, "redshift": None, "id": None},
]
BODIES = {
    JSON: json.dumps(ROWS),
    CSV: as_csv(ROWS),
    NDJSON: "\n".join(map(json.dumps, ROWS)),
    PARQUET: parquet(ROWS),
}
GIVEN_AT = {"prediction_id", "predicted_at"}


def post(client, kind, body, accept=None, query="", **headers):
    headers |= {"Content-Type": kind} | ({"Accept": accept} if accept else {})
    answer = client.post(f"/predict{query}", data=body, headers=headers)
    assert answer.status_code == 200, answer.json
    assert answer.content_type == (accept or kind)
    return answer


def rows_of(answer):
    """Return the rows of an answer, with structs and lists, whatever its format."""
    if answer.content_type == PARQUET:
        return pq.read_table(io.BytesIO(answer.data)).to_pylist()
    if answer.content_type == NDJSON:
        return [json.loads(line) for line in answer.data.splitlines()]
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_of_any_kind_is_answered_and_stored_alike(client, kind):
    answer = post(client, kind, BODIES[kind], JSON).json
    wanted = client.post("/predict", json=ROWS).json
    stored = client.get("/predictions?sort=time").json["predictions"]

    for row, other in zip(answer["predictions"], wanted["predictions"], strict=True):
        assert row.pop("prediction_id") != other.pop("prediction_id")
        assert row == other
    for row, other in zip(stored[:3], stored[3:], strict=True):
        for name in row.keys() - {*GIVEN_AT, "request_id", "inference_ms"}:
            assert row[name] == other[name], name


@pytest.mark.parametrize("query", ["", "?explain=true", "?explain=false"])
def test_a_table_has_the_columns_that_the_log_has_for_it(client, query):
    at_length = "?explanations=true" if query == "?explain=true" else ""
    for kind, ending in ((CSV, "csv"), (NDJSON, "ndjson"), (PARQUET, "parquet")):
        rows = rows_of(post(client, JSON, BODIES[JSON], kind, query))
        ids = {str(row["prediction_id"]) for row in rows}
        log = client.get(f"/predictions.{ending}{at_length}")
        log.content_type = kind
        stored = [row for row in rows_of(log) if str(row["prediction_id"]) in ids]
        left_out = {*OBJECT, "redshift", "request_id", "instance", "inference_ms"}

        assert rows == [
            {name: value for name, value in row.items() if name not in left_out} for row in stored
        ]
        assert len(rows) == 3


def test_csv_can_be_read_back_cell_by_cell(client):
    first, second, third = rows_of(post(client, CSV, BODIES[CSV]))

    assert first["id"] == "one"
    assert second["id"] == 'say "two", or\n2'
    assert third["id"] == ""
    assert json.loads(second["novelty"]) == ["u-g", "u"]
    assert json.loads(second["warnings"])[0]["feature"] == "u"
    assert (
        abs(sum(float(first[f"probabilities.{c}"]) for c in ("GALAXY", "QSO", "STAR")) - 1) < 1e-5
    )
    datetime.fromisoformat(first["predicted_at"])


def test_numbers_are_the_same_in_every_format(client):
    names = ("GALAXY", "QSO", "STAR")
    rows = {kind: rows_of(post(client, CSV, BODIES[CSV], kind)) for kind in (CSV, NDJSON, PARQUET)}
    said = post(client, CSV, BODIES[CSV], JSON).json["predictions"]

    for number, row in enumerate(said):
        wanted = [np.float32(row["probabilities"][name]) for name in names]
        flat = rows[CSV][number]
        assert [np.float32(flat[f"probabilities.{name}"]) for name in names] == wanted
        for kind in (NDJSON, PARQUET):
            found = rows[kind][number]["probabilities"]
            assert [np.float32(found[name]) for name in names] == wanted


def test_one_object_is_a_table_of_one_row_with_the_address_of_its_page(client):
    answer = post(client, JSON, json.dumps(OBJECT), CSV)

    assert len(rows_of(answer)) == 1
    assert answer.headers["Location"].endswith(rows_of(answer)[0]["prediction_id"])


@pytest.mark.parametrize("kind", [CSV, NDJSON, PARQUET])
def test_every_kind_of_model_answers_tables(
    make_app, binary_model, regression_model, kind, request
):
    for number, exported in enumerate((binary_model, regression_model)):
        folder = request.getfixturevalue("tmp_path") / str(number)
        app = make_app(model=exported.path, database=folder / "log.duckdb")
        given = exported.X_holdout.head(600)
        rows = given.astype(object).where(given.notna(), None).to_dict("records")
        if kind == CSV:
            body = given.to_csv(index=False).encode()
        elif kind == NDJSON:
            body = "\n".join(json.dumps(row) for row in rows)
        else:
            body = given.to_parquet(index=False)

        found = rows_of(post(app.test_client(), kind, body))

        wanted = app.test_client().post("/predict", json=rows).json["predictions"]
        name = "label" if "label" in wanted[0] else "value"
        if name == "label":
            assert [row[name] for row in found] == [row[name] for row in wanted]
        else:
            found_values = np.array([float(row[name]) for row in found])
            assert np.allclose(found_values, [row[name] for row in wanted], rtol=1e-6)


@pytest.mark.parametrize("kind", BODIES)
def test_a_compressed_body_is_unpacked(client, kind):
    body = BODIES[kind].encode() if isinstance(BODIES[kind], str) else BODIES[kind]

    post(client, kind, gzip.compress(body), **{"Content-Encoding": "gzip"})


def test_a_body_that_is_not_compressed_as_it_says_or_grows_too_large_is_refused(make_app):
    client = make_app(max_body_bytes=100_000).test_client()

    def status(body, encoding):
        headers = {"Content-Type": CSV, "Content-Encoding": encoding}
        answer = client.post("/predict", data=body, headers=headers)
        assert answer.content_type == "application/problem+json"
        return answer.status_code

    assert status(b"u,g", "gzip") == 400
    assert status(gzip.compress(BODIES[CSV])[:-9], "gzip") == 400
    assert status(gzip.compress(BODIES[CSV]) + b"more", "gzip") == 400
    assert status(BODIES[CSV], "br") == 415
    assert status(gzip.compress(bytes(10**8)), "gzip") == 413


@pytest.mark.parametrize("kind", [CSV, NDJSON, PARQUET])
def test_a_table_sent_again_under_its_key_gets_its_bytes_again(client, kind):
    first = post(client, kind, BODIES[kind], **{"Idempotency-Key": "k"})
    again = post(client, kind, BODIES[kind], **{"Idempotency-Key": "k"})
    other = client.post(
        "/predict",
        data=BODIES[kind],
        headers={"Content-Type": kind, "Accept": JSON, "Idempotency-Key": "k"},
    )

    assert again.data == first.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.status_code == 422


@pytest.mark.parametrize("kind", [CSV, NDJSON, PARQUET])
def test_of_a_table_with_a_fault_nothing_is_stored(client, kind):
    rows = [*ROWS, {**ROWS[0], "u": None}]
    body = {CSV: as_csv, NDJSON: lambda r: "\n".join(map(json.dumps, r)), PARQUET: parquet}[kind](
        rows
    )

    answer = client.post("/predict", data=body, headers={"Content-Type": kind})

    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/3/u"
    assert client.get("/predictions").json["predictions"] == []
