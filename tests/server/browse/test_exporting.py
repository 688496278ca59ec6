"""Files of what fits, read as other programs read them."""

import io
import json

import duckdb
import pandas as pd
import polars
import pytest

from server.browse.flattening import flatten
from tests.server.conftest import OBJECT, SHIPPED

ROWS = [
    {**OBJECT, "u": 17.5, "redshift": 0.1, "id": 'quotes "and", commas\nand lines'},
    {**OBJECT, "u": 18.5, "redshift": None, "id": ""},
    {**OBJECT, "u": 30, "redshift": 2.5},
]
FORMS = ["csv", "ndjson", "parquet"]


@pytest.fixture(scope="module")
def filled(filled_with):
    return filled_with(ROWS)


def read(client, form, query=""):
    """Return a file of the log as pandas has it."""
    answer = client.get(f"/predictions.{form}?{query}")
    assert answer.status_code == 200, answer.text
    content = io.BytesIO(answer.data)
    if form == "csv":
        return pd.read_csv(content)
    if form == "ndjson":
        return pd.DataFrame([json.loads(line) for line in content])
    return pd.read_parquet(content)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("query", "expected"),
    [("", 3), ("in.u=17..19", 2), ("novelty=none", None), ("p=0.9..", None), ("id=no", 0)],
)
def test_a_file_holds_exactly_what_fits(filled, form, query, expected):
    listed = filled.get(f"/predictions?sort=time&{query}").json["predictions"]

    table = read(filled, form, query)

    assert len(table) == len(listed) == (len(listed) if expected is None else expected)
    if listed:
        assert list(table["prediction_id"].map(str)) == [row["prediction_id"] for row in listed]


@pytest.mark.parametrize("form", FORMS)
def test_a_file_says_what_the_list_says(filled, form):
    listed = filled.get("/predictions?sort=time").json["predictions"]

    table = read(filled, form)

    assert list(table["u"]) == pytest.approx([row["inputs"]["u"] for row in listed])
    assert list(table["redshift"].isna()) == [False, True, False]
    assert list(table["label"]) == [row["label"] for row in listed]
    first = table["probabilities.STAR"] if form == "csv" else table["probabilities"].str["STAR"]
    assert list(first) == pytest.approx([row["probabilities"]["STAR"] for row in listed])
    assert table["id"][0] == ROWS[0]["id"]


def test_lines_have_numbers_as_the_list_has_them(filled):
    listed = filled.get("/predictions?sort=time").json["predictions"]

    lines = [json.loads(line) for line in filled.get("/predictions.ndjson").text.splitlines()]

    for line, row in zip(lines, listed, strict=True):
        assert line["u"] == row["inputs"]["u"]
        for name in ("predicted_at", "probabilities", "prediction_set", "novelty", "warnings"):
            assert line[name] == row[name]


def test_what_is_beyond_float32_is_null_in_lines_as_in_the_list(filled_with):
    client = filled_with([{**OBJECT, "u": 3e38, "g": -3e38}])
    (listed,) = client.get("/predictions").json["predictions"]

    (line,) = client.get("/predictions.ndjson?explanations=true").text.splitlines()

    derived = json.loads(line)["derived"]
    assert derived["u-g"] is None
    assert derived == client.get(f"/predictions/{listed['prediction_id']}").json["derived"]


def test_csv_tells_a_missing_text_from_an_empty_one(filled):
    lines = filled.get("/predictions.csv?id=null").text.splitlines()
    empty = filled.get("/predictions.csv?in.u=18.5").text.splitlines()

    assert ',0,"",' not in lines[1]
    assert ',1,"",' in empty[1]


def test_lists_in_csv_are_json(filled):
    listed = filled.get("/predictions?sort=time").json["predictions"]

    table = read(filled, "csv")

    for name in ("novelty", "warnings", "prediction_set"):
        assert [json.loads(text) for text in table[name]] == [row[name] for row in listed]


@pytest.mark.parametrize("form", FORMS)
def test_explanations_are_there_where_they_are_asked_for(filled, form):
    short, long = read(filled, form), read(filled, form, "explanations=true")

    added = set(long.columns) - set(short.columns)
    assert added >= (
        {"contributions.u-g.QSO", "derived.u-g", "base_values.STAR"}
        if form == "csv"
        else {"contributions", "derived", "base_values"}
    )


def test_other_programs_read_parquet(filled, tmp_path):
    path = tmp_path / "p.parquet"
    path.write_bytes(filled.get("/predictions.parquet").data)

    assert polars.read_parquet(path)["probabilities"].struct.field("STAR").len() == 3
    with duckdb.connect() as other:
        query = "SELECT count(*), max(predicted_at) > '2020-01-01' FROM read_parquet(?)"
        assert other.execute(query, [str(path)]).fetchone() == (3, True)


@pytest.mark.parametrize("form", FORMS)
def test_tables_of_several_contracts_lie_in_one_file(make_app, binary_model, form):
    first = make_app(model=binary_model.path)
    rows = binary_model.X_holdout.to_dict("records")[:2]
    first.test_client().post("/predict", json=rows)
    first.extensions["sextant"].log.close()
    client = make_app(model=SHIPPED).test_client()
    client.post("/predict", json=ROWS)

    table = read(client, form)

    assert len(table) == 5
    assert table["island"].notna().sum() == 2
    assert table["u"].notna().sum() == 3
    assert len(read(client, form, "in.u=0..100")) == 3


def test_an_input_may_bear_the_name_of_a_part():
    with duckdb.connect() as connection:
        connection.execute(
            'CREATE VIEW v AS SELECT 1::FLOAT AS "probabilities.a", '
            '{"a": 2::FLOAT, "b": [1]} AS probabilities'
        )
        found = flatten(connection, "v", ["probabilities.a", "probabilities"])

    assert [column.name for column in found] == [
        *("probabilities.a", "probabilities.a_", "probabilities.b"),
    ]


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("csv?in.u=x", "in.u=x"),
        ("parquet?explanations=1", "explanations=1"),
        ("ndjson?p.no=1", "p.no=1"),
    ],
)
def test_what_is_wrong_is_named(filled, path, detail):
    answer = filled.get(f"/predictions.{path}")

    assert answer.status_code == 400
    assert detail in answer.json["detail"]


def test_there_are_no_other_forms(filled):
    assert filled.get("/predictions.xlsx").status_code == 404


def test_a_file_has_a_name_and_leaves_nothing_behind(client, tmp_path):
    answer = client.get("/predictions.parquet")

    assert ".parquet" in answer.headers["Content-Disposition"]
    assert answer.data[:4] == answer.data[-4:] == b"PAR1"
    assert [path.name for path in tmp_path.rglob("*.parquet")] == []


def test_who_leaves_a_download_gives_its_place_to_others(filled):
    for _ in range(5):
        answer = filled.get("/predictions.csv", buffered=False)
        next(answer.response)
        answer.close()

    assert filled.get("/predictions.csv").status_code == 200


def test_more_downloads_than_there_are_places_are_told_to_come_again(filled):
    held = [filled.get("/predictions.csv", buffered=False) for _ in range(2)]

    refused = filled.get("/predictions.csv")

    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    for each in held:
        each.close()


def test_predictions_are_stored_while_a_download_waits(client):
    client.post("/predict", json=ROWS)
    held = client.get("/predictions.ndjson", buffered=False)
    lines = [next(held.response)]

    stored = [client.post("/predict", json=ROWS).status_code for _ in range(3)]
    lines += list(held.response)

    assert stored == [200] * 3
    assert b"".join(lines).count(b"\n") == 3
    held.close()
