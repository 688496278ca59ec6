"""What the tests of scoring share: small parts, tables of every model, the command itself."""

import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from server.commands.run import run
from server.model import Model
from server.payload import PayloadReader
from server.scoring import staging, tables


@pytest.fixture
def small_parts(monkeypatch):
    """Make parts of seven rows, so that a small table has many."""
    for module in (staging, tables):
        monkeypatch.setattr(module, "PART_ROWS", 7)
    monkeypatch.setattr("server.scoring.job.PART_ROWS", 7)
    monkeypatch.setattr("server.scoring.part.PART_ROWS", 7)


@pytest.fixture
def score(monkeypatch, tmp_path):
    """Run the command in this process; return its code."""

    def call(model, *arguments):
        monkeypatch.setenv("SEXTANT_DATABASE", str(tmp_path / "log.duckdb"))
        return run(["score", "--model", str(model), *map(str, arguments)])

    return call


def rows_of(exported, n=30):
    """Return rows that the model was verified on, as JSON has them, with an id and a note each."""
    table = exported.X_holdout.head(n)
    rows = json.loads(table.to_json(orient="records", double_precision=15))
    return [{"id": f"row {k}", **row, "note": f'a "{k}", b'} for k, row in enumerate(rows)]


def write(path, rows):
    """Write rows in the format that the name of `path` says."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".ndjson":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return path


def read(path):
    """Return the rows of a file: of CSV as text, of the others as they are."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ndjson":
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(text.splitlines()))


def answers_of(model_path, rows):
    """Return what a body with the same rows would be answered: the outputs of the model."""
    model = Model(model_path)
    names = {"id", *(feature.name for feature in model.contract.features)}
    body = [{name: value for name, value in row.items() if name in names} for row in rows]
    reader = PayloadReader(model.contract.features, max_instances=10_000)
    instances = reader.parse(json.dumps(body).encode())
    outputs = model.predict(instances.arrays).outputs
    return {name: np.asarray(array) for name, array in outputs.items()}, instances
