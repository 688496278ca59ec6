"""What lies in arrays is read under the names that the model gives it."""

import duckdb
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from export import export_model

CLASSES = ['a "b"', "it's", "c\\d; DROP TABLE x"]


def odd_model(path):
    """A model whose classes and derived features bear every name but a plain one."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "it's.a.size": rng.normal(size=600).astype(np.float32),
            "kind": rng.choice(["x", "X", 'say "x"', "y's"], 600),
        }
    )
    y = pd.Series(np.array(CLASSES)[np.digitize(X["it's.a.size"], [-0.5, 0.5])])
    encode = ColumnTransformer(
        [("n", "passthrough", ["it's.a.size"]), ("k", OneHotEncoder(), ["kind"])],
        verbose_feature_names_out=False,
    )
    fitted = make_pipeline(encode, LogisticRegression()).fit(X[:400], y[:400])
    export_model(fitted, X[400:], y[400:], path, name="odd", X_train=X[:400], y_train=y[:400])
    return X


def test_odd_names_are_answered_and_read_back(make_app, tmp_path):
    X = odd_model(tmp_path / "odd.onnx")
    client = make_app(model=tmp_path / "odd.onnx").test_client()
    row = {"it's.a.size": 9.0, "kind": "X"}

    response = client.post("/predict", json=row)
    stored = client.get(response.headers["Location"]).json

    answer = response.json
    assert answer["label"] in CLASSES
    assert stored["prediction_set"] == answer["prediction_set"]
    assert stored["novelty"] == [each["feature"] for each in answer["novelty"]] == ["it's.a.size"]
    assert stored["probabilities"] == answer["probabilities"]
    assert list(stored["contributions"]["it's.a.size"]) == CLASSES[:1] + sorted(CLASSES)[1:]
    # SQL does not tell x from X: the second is numbered.
    assert [name for name in stored["derived"] if "_x" in name.lower()] == ["kind_X", "kind_x (2)"]
    assert (stored["derived"]["kind_X"], stored["derived"]["kind_x (2)"]) == (1, 0)
    assert len(X) == 600


def test_parts_are_asked_for_by_name(client, app, tmp_path):
    client.post("/predict", json={"u": 19.5, "g": 17, "r": 16, "i": 15.5, "z": 15.2})
    app.extensions["sextant"].log.close()

    with duckdb.connect(str(tmp_path / "predictions.duckdb")) as database:
        found = database.execute(
            'SELECT contributions."u-g".STAR, derived.redshift, base_values.QSO, '
            "len(prediction_set) >= 1, novelty FROM predictions"
        ).fetchone()

    assert isinstance(found[0], float)
    assert found[1] is None
    assert isinstance(found[2], float)
    assert found[3:] == (True, [])
