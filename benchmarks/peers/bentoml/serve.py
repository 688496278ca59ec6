"""BentoML: a service class whose one method takes and gives arrays."""

import os
from typing import Any

import bentoml
import numpy as np
import onnxruntime

NAMES = ("u", "g", "r", "i", "z", "redshift")


@bentoml.service
class Model:
    """Answers with labels and probabilities."""

    def __init__(self) -> None:
        path = os.environ["MODEL"]
        self.session: Any = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    @bentoml.api
    def predict(self, rows: np.ndarray) -> dict[str, list[Any]]:
        """Answer an array of shape (n_rows, 6)."""
        columns = rows.astype(np.float32)
        feeds = {name: columns[:, [number]] for number, name in enumerate(NAMES)}
        labels, probabilities = self.session.run(["label", "probabilities"], feeds)
        return {"labels": labels.tolist(), "probabilities": probabilities.tolist()}
