"""What graph and pipeline answer to the same rows, under the same names."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from export.columns import as_tensors

Answers = dict[str, NDArray[Any]]


def open_session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Return a session that runs the graph as the server does: in one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # Errors are raised; what is beneath them is for the log of a server, not for this screen.
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def graph_answers(
    session: onnxruntime.InferenceSession, X: pd.DataFrame, types: dict[str, str]
) -> Answers:
    """Return what the graph answers, by output; what it would only say if asked has no rows."""
    optional = {each.name: np.array(False) for each in session.get_overridable_initializers()}
    return _run(session, as_tensors(X, types) | optional)


def explained_answers(
    session: onnxruntime.InferenceSession, X: pd.DataFrame, types: dict[str, str]
) -> Answers:
    """Return all that the graph answers, by output."""
    return _run(session, as_tensors(X, types))


def pipeline_answers(pipeline: Any, X: pd.DataFrame) -> Answers:
    """Return what the pipeline answers, under the names of the graph's outputs."""
    if not is_classifier(pipeline):
        return {"value": np.asarray(pipeline.predict(X)).ravel()}
    names = np.array([str(name) for name in pipeline.classes_])
    probabilities = pipeline.predict_proba(X)
    labels = np.array([str(label) for label in pipeline.predict(X)])
    return {
        "label": labels.astype(names.dtype),
        "probabilities": probabilities,
        **_details(pipeline, X),
    }


def missing(X: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows without one of their features."""
    return X.assign(**{name: pd.Series(np.nan, index=X.index, dtype=X[name].dtype)})


def last_step(pipeline: Any, X: Any) -> tuple[Any, Any]:
    """Return the last step of a pipeline, and the rows as they reach it."""
    while isinstance(pipeline, Pipeline):
        X, pipeline = pipeline[:-1].transform(X) if len(pipeline) > 1 else X, pipeline[-1]
    return pipeline, X


def _run(session: onnxruntime.InferenceSession, tensors: dict[str, NDArray[Any]]) -> Answers:
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, tensors), strict=True))


def _details(pipeline: Any, X: Any) -> Answers:
    last, X = last_step(pipeline, X)
    return dict(last.predict_details(X)) if hasattr(last, "predict_details") else {}
