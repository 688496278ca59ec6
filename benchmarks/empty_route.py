"""Serve a route that does nothing: ``python -m benchmarks.empty_route PORT [THREADS]``.

It parses a body and answers a constant of the size of a prediction: what a server in Flask and
Waitress costs before it has done anything.
"""

import sys

from flask import Flask, Response, jsonify, request
from waitress import serve

_ANSWER = {
    "model": {"name": "empty", "version": "1"},
    "predicted_at": "2026-11-21T20:15:00.000000Z",
    "prediction_id": "00000000-0000-7000-8000-000000000000",
    "label": "A",
    "probabilities": {"A": 0.9, "B": 0.05, "C": 0.05},
    "warnings": [],
}

app = Flask(__name__)


@app.get("/")
def ready() -> str:
    """Say that the process answers."""
    return "ready"


@app.post("/predict")
def predict() -> Response:
    """Read the body and answer the constant."""
    request.get_json()
    return jsonify(_ANSWER)


if __name__ == "__main__":
    # Without a number of threads, everything is as Waitress has it by default.
    options = {"threads": int(sys.argv[2])} if len(sys.argv) > 2 else {}
    serve(app, host="127.0.0.1", port=int(sys.argv[1]), **options)
