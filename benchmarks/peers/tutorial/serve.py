"""The tutorial way: a pickled pipeline, a pandas frame a request, Flask under Waitress."""

import os

import joblib
import pandas as pd
from flask import Flask, Response, jsonify, request
from waitress import serve

pipeline = joblib.load(os.environ["MODEL"])
app = Flask(__name__)


@app.post("/predict")
def predict() -> Response:
    """Answer a list of objects."""
    # The pipeline was fitted on float32, and its trees may cut between that and float64.
    X = pd.DataFrame(request.get_json()).astype("float32")
    probabilities = pipeline.predict_proba(X)
    labels = pipeline.classes_[probabilities.argmax(axis=1)]
    return jsonify({"labels": labels.tolist(), "probabilities": probabilities.tolist()})


if __name__ == "__main__":
    serve(app, host="127.0.0.1", port=int(os.environ["PORT"]))
