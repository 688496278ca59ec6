"""Write rows as the bodies that contenders take."""

import csv
import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks.instances import Instance

Rows = Sequence[Instance]

# Bytes of the JSON before the tensors, blanks behind it among them.
V2_JSON_BYTES = 2_000


def as_list(rows: Rows) -> bytes:
    """Return a list of objects."""
    return json.dumps(list(rows)).encode()


def as_object_or_list(rows: Rows) -> bytes:
    """Return one object as it is, several as a list."""
    return json.dumps(rows[0] if len(rows) == 1 else list(rows)).encode()


def as_rows(rows: Rows) -> bytes:
    """Return an object whose one member is a list of objects."""
    return json.dumps({"rows": list(rows)}).encode()


def as_matrix(rows: Rows) -> bytes:
    """Return an object whose one member is a list of lists of numbers."""
    return json.dumps({"rows": [list(row.values()) for row in rows]}).encode()


def as_inputs(rows: Rows) -> bytes:
    """Return an object of one column a feature, each value in a list of its own."""
    columns = {name: [[row[name]] for row in rows] for name in rows[0]}
    return json.dumps({"inputs": columns}).encode()


def as_v2(rows: Rows) -> bytes:
    """Return a tensor a feature, in JSON."""
    inputs = [_tensor(name, len(rows)) | {"data": [r[name] for r in rows]} for name in rows[0]]
    return json.dumps({"inputs": inputs}).encode()


def as_v2_binary(rows: Rows) -> bytes:
    """Return a tensor a feature, as bytes behind a JSON that says where they are."""
    size = {"parameters": {"binary_data_size": 4 * len(rows)}}
    inputs = [_tensor(name, len(rows)) | size for name in rows[0]]
    asked = {"inputs": inputs, "parameters": {"binary_data_output": True}}
    return _padded(json.dumps(asked)).encode() + b"".join(
        np.array([row[name] for row in rows], "<f4").tobytes() for name in rows[0]
    )


def as_csv(rows: Rows) -> bytes:
    """Return a line of names, and a line a row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: Rows) -> bytes:
    """Return a Parquet file of float32 columns."""
    columns = {name: np.array([row[name] for row in rows], np.float32) for name in rows[0]}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as database:
        path = Path(folder) / "rows.parquet"
        database.register("columns", columns)
        database.execute(f"COPY (FROM columns) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def _padded(text: str) -> str:
    # The length of the JSON goes into a header, and one that is known beforehand fits every body.
    return text.ljust(V2_JSON_BYTES)


def _tensor(name: str, n_rows: int) -> dict[str, Any]:
    return {"name": name, "shape": [n_rows, 1], "datatype": "FP32"}
