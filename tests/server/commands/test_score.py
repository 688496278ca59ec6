"""Whole files through a model, by the command: formats, faults, interruptions, the log."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import duckdb
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from server.model import Model
from tests.server.commands.conftest import answers_of, read, rows_of, write
from tests.server.conftest import ROOT

pytestmark = pytest.mark.usefixtures("small_parts")
FORMS = ("csv", "ndjson", "parquet")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("came", FORMS)
def test_a_file_is_answered_like_a_body(came, form, binary_model, score, tmp_path):
    rows = rows_of(binary_model)
    source, to = write(tmp_path / f"in.{came}", rows), tmp_path / f"out.{form}"

    assert score(binary_model.path, source, to) == 0

    outputs, _ = answers_of(binary_model.path, rows)
    scored = read(to)
    assert [row["label"] for row in scored] == outputs["label"].tolist()
    assert [row["id"] for row in scored] == [row["id"] for row in rows]
    assert [row["note"] for row in scored] == [row["note"] for row in rows]
    assert [float(row["body_mass"]) for row in scored] == [row["body_mass"] for row in rows]
    assert [int(row["age"]) for row in scored] == [row["age"] for row in rows]
    names = Model(binary_model.path).contract.class_names
    for k, name in enumerate(names):
        said = [
            row[f"probabilities.{name}"] if form == "csv" else row["probabilities"][name]
            for row in scored
        ]
        assert np.array(said, np.float32).tolist() == outputs["probabilities"][:, k].tolist()
    assert not list(tmp_path.glob("*.parts"))


@pytest.mark.parametrize("most", [0, 500])
def test_sets_and_novelty_are_named(most, binary_model, score, tmp_path, monkeypatch):
    monkeypatch.setattr("server.scoring.answering._MOST_CHOICES", most)
    rows = rows_of(binary_model)
    for row in rows[::3]:
        row["body_mass"] *= 100
    source, to = write(tmp_path / "in.parquet", rows), tmp_path / "out.parquet"

    assert score(binary_model.path, source, to) == 0

    outputs, _ = answers_of(binary_model.path, rows)
    contract, scored = Model(binary_model.path).contract, read(to)
    names = {
        "prediction_set": contract.class_names,
        "novelty": [column.name for column in contract.novelty.columns],
    }
    for role, known in names.items():
        assert [row[role] for row in scored] == [
            [name for name, is_in in zip(known, each, strict=True) if is_in]
            for each in outputs[role]
        ]
    assert any(row["novelty"] for row in scored)
    assert not all(row["novelty"] for row in scored)


@pytest.mark.parametrize("came", FORMS)
def test_a_regression_takes_what_is_missing(came, regression_model, score, tmp_path):
    rows = rows_of(regression_model)
    assert any(row["c"] is None for row in rows)
    source, to = write(tmp_path / f"in.{came}", rows), tmp_path / "out.parquet"

    assert score(regression_model.path, source, to) == 0

    outputs, _ = answers_of(regression_model.path, rows)
    scored = read(to)
    assert np.float32([row["value"] for row in scored]).tolist() == outputs["value"].tolist()
    assert [row["c"] for row in scored] == [row["c"] for row in rows]
    assert list(scored[0]["interval"]) == ["low", "high"]


def test_columns_stand_in_any_order_and_a_nullable_one_may_lack(regression_model, score, tmp_path):
    rows = [{"b": row["b"], "a": row["a"]} for row in rows_of(regression_model)]
    source, to = write(tmp_path / "in.parquet", rows), tmp_path / "out.parquet"

    assert score(regression_model.path, source, to) == 0

    outputs, _ = answers_of(regression_model.path, rows)
    assert np.float32([row["value"] for row in read(to)]).tolist() == outputs["value"].tolist()


def test_a_column_that_bears_the_name_of_an_answer_is_kept(binary_model, score, tmp_path):
    rows = [row | {"Label": "mine"} for row in rows_of(binary_model, 3)]
    source, to = write(tmp_path / "in.parquet", rows), tmp_path / "out.parquet"

    assert score(binary_model.path, source, to) == 0

    assert {row["Label_"] for row in read(to)} == {"mine"}


def test_only_answers_leaves_out_what_came_but_for_the_id(binary_model, score, tmp_path):
    rows = rows_of(binary_model, 3)
    source, to = write(tmp_path / "in.csv", rows), tmp_path / "out.ndjson"

    assert score(binary_model.path, source, to, "--only-answers") == 0

    assert [row["id"] for row in read(to)] == ["row 0", "row 1", "row 2"]
    assert not {"age", "note"} & {*read(to)[0]}


def test_explain_writes_contributions(binary_model, score, tmp_path):
    source = write(tmp_path / "in.parquet", rows_of(binary_model, 3))

    assert score(binary_model.path, source, tmp_path / "out.parquet", "--explain") == 0

    row = read(tmp_path / "out.parquet")[0]
    log_odds = row["base_values"] + sum(row["contributions"].values())
    (_, second) = Model(binary_model.path).contract.class_names
    assert 1 / (1 + np.exp(-log_odds)) == pytest.approx(row["probabilities"][second], abs=1e-5)


def test_the_result_says_by_which_model(binary_model, score, tmp_path):
    source, to = write(tmp_path / "in.csv", rows_of(binary_model, 3)), tmp_path / "out.parquet"

    score(binary_model.path, source, to)

    said = pq.read_metadata(to).metadata
    assert said[b"model_name"] == b"penguins"
    assert said[b"model_sha256"].decode() == Model(binary_model.path).sha256


def test_others_read_the_parquet_that_was_put_together(binary_model, score, tmp_path):
    rows = rows_of(binary_model, 200)
    source, to = write(tmp_path / "in.csv", rows), tmp_path / "out.parquet"

    score(binary_model.path, source, to)

    labels = [row["label"] for row in read(to)]
    assert pq.ParquetFile(to).num_row_groups == -(-len(rows) // 7)
    assert pl.read_parquet(to)["label"].to_list() == labels
    found = duckdb.sql(f"SELECT label FROM read_parquet('{to}') WHERE id = 'row 150'").fetchall()
    assert found == [(labels[150],)]


def test_gzip_is_read_and_written(binary_model, score, tmp_path):
    plain = write(tmp_path / "in.csv", rows_of(binary_model, 3)).read_bytes()
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(plain))

    assert score(binary_model.path, tmp_path / "in.csv.gz", tmp_path / "out.ndjson.gz") == 0

    lines = gzip.decompress((tmp_path / "out.ndjson.gz").read_bytes()).splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["row 0", "row 1", "row 2"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"body_mass": "heavy"}, 'row 10: body_mass: expected a number, got "heavy"'),
        ({"body_mass": "1e39"}, "row 10: body_mass: beyond float32"),
        ({"body_mass": ""}, "row 10: body_mass: null: this feature may not be missing"),
        ({"age": "1.5"}, 'row 10: age: expected a whole number, got "1.5"'),
        ({"age": "99999999999999999999"}, "row 10: age: beyond a 64-bit integer"),
        ({"island": "Atlantis"}, 'row 10: island: "Atlantis" is none of'),
        ({"id": "x" * 300}, "row 10: id: 300 characters"),
    ],
)
def test_a_bad_value_is_refused_with_its_row(change, told, binary_model, score, tmp_path, capsys):
    rows = rows_of(binary_model)
    rows[9] |= change

    code = score(binary_model.path, write(tmp_path / "in.csv", rows), tmp_path / "out.csv")

    assert code == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"body_mass": "4000"}, "row 10: body_mass: expected a number, got a string"),
        ({"body_mass": True}, "row 10: body_mass: expected a number, got a boolean"),
        ({"body_mass": float("nan")}, "row 10: body_mass: NaN is not a finite number"),
        ({"age": 1.5}, "row 10: age: 1.5 is not written as a whole number"),
        ({"age": 10**30}, "row 10: age: beyond a 64-bit integer"),
        ({"ring colour": [1]}, "row 10: ring colour: expected a string, got a list"),
        ({"id": 7}, "row 10: id: expected a string, got a number"),
    ],
)
def test_json_is_as_strict_as_a_body(change, told, binary_model, score, tmp_path, capsys):
    rows = rows_of(binary_model)
    rows[9] |= change

    code = score(binary_model.path, write(tmp_path / "in.ndjson", rows), tmp_path / "out.csv")

    assert code == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("came", FORMS)
def test_rejects_take_the_rows_that_cannot_be_answered(came, binary_model, score, tmp_path):
    rows = rows_of(binary_model)
    rows[9] |= {"island": "Atlantis"}
    rows[20] |= {"island": "Lemuria", "id": "x" * 300}
    source = write(tmp_path / f"in.{came}", rows)
    rejects = tmp_path / "rejects.ndjson"

    refused = score(binary_model.path, source, tmp_path / "out.parquet")
    went_on = score(binary_model.path, source, tmp_path / "out.parquet", "--rejects", rejects)

    assert (refused, went_on) == (1, 0)
    taken = [row for k, row in enumerate(rows) if k not in (9, 20)]
    outputs, _ = answers_of(binary_model.path, taken)
    assert [row["id"] for row in read(tmp_path / "out.parquet")] == [row["id"] for row in taken]
    assert [row["label"] for row in read(tmp_path / "out.parquet")] == outputs["label"].tolist()
    told = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [each["row"] for each in told] == [10, 21]
    assert {error["column"] for error in told[1]["errors"]} == {"island", "id"}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("in.csv", b"", "its first line should have the names"),
        ("in.csv", b"a,b,c\n1,2\n", "line 2: 2 fields, and the first line names 3"),
        ("in.csv", b"a,b,c\n1,2,3\n1,2,3,4\n", "line 3: 4 fields"),
        ("in.csv", b'a,b,c\n1,2,3\n"1,2,3\n4,5,6\n', "unexpected end of data"),
        ("in.csv", b"a,b,b\n1,2,3\n", "has the column 'b' twice"),
        ("in.csv", b"a,b,B\n1,2,3\n", "has the column 'B' and 'b'"),
        ("in.csv", b"a,b,\n1,2,3\n", "has a column without a name"),
        ("in.csv", b"a,b,c\n1,2,\xe9\n", "not UTF-8"),
        ("in.csv", b"a,c\n1,2\n", "b: missing"),
        ("in.csv.gz", b"a,b,c\n1,2,3\n", "gzip"),
        ("in.ndjson", b'{"a":1}\n[1]\n', "expected records"),
        ("in.ndjson", b'{"a":1}\n{"a":\n', "Malformed JSON"),
        ("in.ndjson", b'{"a":1,"a":2}\n', 'duplicate key "a"'),
        ("in.ndjson", b'{"a":1}{"a":2}\n', "Malformed JSON"),
        ("in.parquet", b"", "in.parquet"),
        ("in.parquet", b"PAR1" * 100, "in.parquet"),
        ("in.txt", b"a\n", "say which format"),
    ],
)
def test_a_damaged_table_is_refused_with_the_place(
    name, content, told, regression_model, score, tmp_path, capsys
):
    (tmp_path / name).write_bytes(content)

    code = score(regression_model.path, tmp_path / name, tmp_path / "out.csv")

    assert code == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa,b,c\r\n1,2,\r\n3,4,5\r\n",
        b"a,b,c\n1,2,\n3,4,5",
        b'"a","b","c"\n"1"," 2 ",""\n\n3,4,5\n\n',
        b"b,c,a\r\n2,,1\n4,5,3\r\n",
    ],
)
def test_csv_is_read_as_spreadsheets_write_it(content, regression_model, score, tmp_path):
    (tmp_path / "in.csv").write_bytes(content)

    assert score(regression_model.path, tmp_path / "in.csv", tmp_path / "out.parquet") == 0

    rows = [{"a": 1, "b": 2, "c": None}, {"a": 3, "b": 4, "c": 5}]
    outputs, _ = answers_of(regression_model.path, rows)
    values = [row["value"] for row in read(tmp_path / "out.parquet")]
    assert np.float32(values).tolist() == outputs["value"].tolist()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("name", "content"), [("in.csv", b"a,b,c\n"), ("in.ndjson", b"")])
def test_a_table_without_rows_gives_one_without(
    name, content, form, regression_model, score, tmp_path
):
    (tmp_path / name).write_bytes(content)

    code = score(regression_model.path, tmp_path / name, tmp_path / f"out.{form}")

    assert code == (1 if name == "in.ndjson" else 0)
    if code == 0:
        assert read(tmp_path / f"out.{form}") == []


def test_text_columns_of_parquet_are_no_numbers(regression_model, score, tmp_path, capsys):
    source = write(tmp_path / "in.parquet", [{"a": "1", "b": 2.0, "c": True}])

    assert score(regression_model.path, source, tmp_path / "out.csv") == 1

    told = capsys.readouterr().err
    assert "a: expected numbers, the column holds text" in told
    assert "c: expected numbers, the column holds true and false" in told


def test_a_name_with_wildcards_is_a_name(regression_model, score, tmp_path):
    source = write(tmp_path / "in[1]*.parquet", rows_of(regression_model, 3))
    write(tmp_path / "in1x.parquet", rows_of(regression_model, 9))

    assert score(regression_model.path, source, tmp_path / "out[1]?.parquet") == 0

    assert len(read(tmp_path / "out[1]?.parquet")) == 3


def test_what_was_begun_goes_on_only_as_it_was_begun(
    binary_model, regression_model, score, tmp_path, capsys
):
    rows = rows_of(binary_model)
    rows[20] |= {"island": "Atlantis"}
    source, to = write(tmp_path / "in.csv", rows), tmp_path / "out.csv"
    assert score(binary_model.path, source, to) == 1

    as_other = score(regression_model.path, source, to)
    other_model = capsys.readouterr().err
    otherwise = score(binary_model.path, source, to, "--explain")
    other_columns = capsys.readouterr().err
    write(source, rows_of(binary_model))
    of_other = score(binary_model.path, source, to)

    assert (as_other, otherwise, of_other) == (1, 1, 1)
    assert "the model was" in other_model
    assert "what explains an answer was False and is True" in other_columns
    assert "its time was" in capsys.readouterr().err


def test_parts_that_are_done_are_not_done_again(binary_model, score, tmp_path, capsys):
    rows = rows_of(binary_model)
    rows[25] |= {"island": "Atlantis"}
    source, to = write(tmp_path / "in.csv", rows), tmp_path / "out.csv"
    score(binary_model.path, source, to)
    (done, *_) = sorted(tmp_path.glob("out.csv.parts/*.csv"))
    before = done.stat().st_mtime_ns

    score(binary_model.path, source, to)

    assert done.stat().st_mtime_ns == before
    assert "goes on behind" in capsys.readouterr().err


def test_every_row_is_stored_in_the_log_once(binary_model, score, tmp_path):
    rows = rows_of(binary_model)
    rows[25] |= {"island": "Atlantis"}
    source, to = write(tmp_path / "in.csv", rows), tmp_path / "out.parquet"
    assert score(binary_model.path, source, to, "--log") == 1
    (written, *_) = sorted(tmp_path.glob("out.parquet.parts/*.parquet"))
    written.unlink()  # as if it had been stored, and the machine had stopped before it was written

    code = score(binary_model.path, source, to, "--log", "--rejects", tmp_path / "rejects")

    assert code == 0
    with duckdb.connect(str(tmp_path / "log.duckdb")) as connection:
        stored = connection.execute(
            "SELECT prediction_id, id, label, age, prediction_set FROM predictions "
            "ORDER BY split_part(id, ' ', 2)::INTEGER"
        ).fetchall()
    scored = read(to)
    assert len(stored) == len(rows) - 1
    assert [row[1] for row in stored] == [row["id"] for row in scored]
    assert [row[2] for row in stored] == [row["label"] for row in scored]
    assert [row[0].bytes for row in stored] == [_bytes(row["prediction_id"]) for row in scored]


def _bytes(value):
    return value if isinstance(value, bytes) else value.bytes


def test_a_log_that_a_server_holds_is_left_alone(
    binary_model, score, start_server, tmp_path, capsys
):
    start_server(tmp_path / "log.duckdb", model=binary_model.path)
    source = write(tmp_path / "in.csv", rows_of(binary_model, 3))

    assert score(binary_model.path, source, tmp_path / "out.csv", "--log") == 1

    assert "another process has it open" in capsys.readouterr().err


def command(model, *arguments):
    return [sys.executable, "-m", "server", "score", "--model", str(model), *map(str, arguments)]


def test_a_pipe_is_read_and_written(binary_model, tmp_path):
    rows = rows_of(binary_model, 3)
    given = write(tmp_path / "in.ndjson", rows).read_bytes()
    formats = ("--in-format", "ndjson", "--out-format", "csv")

    done = subprocess.run(
        command(binary_model.path, "-", "-", *formats),
        input=given,
        capture_output=True,
        cwd=ROOT,
        check=True,
    )

    outputs, _ = answers_of(binary_model.path, rows)
    (tmp_path / "out.csv").write_bytes(done.stdout)
    assert [row["label"] for row in read(tmp_path / "out.csv")] == outputs["label"].tolist()
    assert b"3 rows, by penguins 1" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("log", [[], ["--log"]])
def test_killed_in_the_middle_it_goes_on(log, model_path, X, tmp_path):  # the field's name
    table = pl.from_pandas(X.reset_index(drop=True)).sample(400_000, with_replacement=True, seed=0)
    table.with_row_index("id").with_columns(pl.col("id").cast(pl.String)).write_parquet(
        tmp_path / "in.parquet"
    )
    whole, to = tmp_path / "whole.parquet", tmp_path / "out.parquet"
    environment = {**os.environ, "SEXTANT_DATABASE": str(tmp_path / "log.duckdb")}
    asked = {"cwd": ROOT, "env": environment, "stderr": subprocess.PIPE}
    subprocess.run(command(model_path, tmp_path / "in.parquet", whole), check=True, **asked)
    kills = 0

    while not to.exists():
        process = subprocess.Popen(command(model_path, tmp_path / "in.parquet", to, *log), **asked)
        before = len(list(tmp_path.glob("out.parquet.parts/*.parquet")))
        while process.poll() is None and not to.exists():
            now = len(list(tmp_path.glob("out.parquet.parts/*.parquet")))
            if now > before and kills < 3:
                process.send_signal(signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.005)
        process.communicate()

    assert kills == 3
    one, other = pl.read_parquet(whole), pl.read_parquet(to)
    assert other.drop("prediction_id", strict=False).equals(one)
    if log:
        with duckdb.connect(str(tmp_path / "log.duckdb")) as connection:
            counts = "SELECT count(*), count(DISTINCT id) FROM predictions"
            assert connection.execute(counts).fetchone() == (400_000, 400_000)
