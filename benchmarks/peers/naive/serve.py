"""The first thing that comes to mind: onnxruntime in a Flask route, and an INSERT a request."""

import os
import threading

import duckdb
import numpy as np
import onnxruntime
from flask import Flask, Response, jsonify, request
from waitress import serve

NAMES = ("u", "g", "r", "i", "z", "redshift")

session = onnxruntime.InferenceSession(os.environ["MODEL"], providers=["CPUExecutionProvider"])
database = duckdb.connect(os.environ["DATABASE"])
database.execute(
    "CREATE TABLE predictions (predicted_at TIMESTAMP DEFAULT now(), "
    f"{', '.join(f'{name} FLOAT' for name in NAMES)}, label VARCHAR, probabilities FLOAT[])"
)
INSERT = (
    f"INSERT INTO predictions ({', '.join(NAMES)}, label, probabilities) "  # noqa: S608  # the names above
    f"VALUES ({', '.join('?' * (len(NAMES) + 2))})"
)
# DuckDB's connections are not to be used by two threads at once: each has a cursor.
own = threading.local()
app = Flask(__name__)


@app.post("/predict")
def predict() -> Response:
    """Answer a list of objects once they are stored."""
    rows = request.get_json()
    feeds = {name: np.array([[row[name]] for row in rows], np.float32) for name in NAMES}
    labels, probabilities = session.run(["label", "probabilities"], feeds)
    answers = list(zip(labels.tolist(), probabilities.tolist(), strict=True))
    if not hasattr(own, "cursor"):
        own.cursor = database.cursor()
    own.cursor.executemany(
        INSERT,
        [
            [*(row[name] for name in NAMES), label, scores]
            for row, (label, scores) in zip(rows, answers, strict=True)
        ],
    )
    return jsonify({"labels": labels.tolist(), "probabilities": probabilities.tolist()})


if __name__ == "__main__":
    serve(app, host="127.0.0.1", port=int(os.environ["PORT"]))
