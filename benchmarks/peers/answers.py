"""Find the probabilities in what a contender answers: ndarray of shape (n_rows, n_classes)."""

import csv
import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

Headers = dict[str, str]


def in_lists(content: bytes, _headers: Headers) -> Any:
    """Read a member `probabilities` that is a list a row."""
    return np.array(json.loads(content)["probabilities"])


def in_objects(content: bytes, _headers: Headers) -> Any:
    """Read Sextant's JSON: one prediction, or a list of them, with a number a class."""
    answer = json.loads(content)
    predictions = answer.get("predictions", [answer])
    return np.array([list(each["probabilities"].values()) for each in predictions])


def in_named(content: bytes, _headers: Headers) -> Any:
    """Read MLflow's answer, all outputs by their names."""
    return np.array(json.loads(content)["predictions"]["probabilities"])


def in_v2(content: bytes, headers: Headers) -> Any:
    """Read the tensor `probabilities`, from JSON or from the bytes behind it."""
    length = int(headers.get("inference-header-content-length", len(content)))
    offset = length
    for output in json.loads(content[:length])["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size", 0)
        if output["name"] == "probabilities":
            raw = content[offset : offset + size]
            values = np.frombuffer(raw, "<f4") if size else np.array(output["data"])
            return values.reshape(output["shape"])
        offset += size
    raise KeyError("probabilities")


def in_csv(content: bytes, _headers: Headers) -> Any:
    """Read the columns of Sextant's CSV whose names begin with `probabilities.`."""
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    names = [name for name in rows[0] if name.startswith("probabilities.")]
    return np.array([[float(row[name]) for name in names] for row in rows])


def in_parquet(content: bytes, _headers: Headers) -> Any:
    """Read the struct of Sextant's Parquet."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as database:
        path = Path(folder) / "answer.parquet"
        path.write_bytes(content)
        found: Sequence[Any] = database.execute(
            f"SELECT probabilities FROM read_parquet('{path}')"  # noqa: S608  # our own path
        ).fetchall()
    return np.array([list(struct.values()) for (struct,) in found])
