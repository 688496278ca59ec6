"""Write a small regression on numbers, integers and texts, one of them nullable, for the checks.

``python -m tests.clients.make_model PATH``, in the environment of training.
"""

import sys

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from export import export_model

rng = np.random.default_rng(0)
table = pd.DataFrame(
    {
        "flipper {mm}": rng.normal(200, 14, 600).astype(np.float32),
        "age": rng.integers(1, 9, 600),
        "ring colour": rng.choice(["blue", "red", "größer"], 600),
    }
)
table.loc[::5, "flipper {mm}"] = np.nan
mass = pd.Series(4200 + 20 * table["flipper {mm}"].fillna(200) + 90 * table["age"], name="mass")
encode = ColumnTransformer(
    [
        ("numbers", "passthrough", ["flipper {mm}", "age"]),
        ("rings", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["ring colour"]),
    ]
)
pipeline = make_pipeline(encode, HistGradientBoostingRegressor(max_iter=20, random_state=0))
pipeline.fit(table[:400], mass[:400])
export_model(
    pipeline,
    table[400:],
    mass[400:],
    sys.argv[1],
    name="body mass/kg",
    version="1",
    target={"name": "mass", "unit": "g"},
    X_train=table[:400],
    y_train=mass[:400],
)
