"""LitServe: an API class whose steps are decode, predict and encode, one worker."""

import os
from typing import Any

import litserve
import numpy as np
import onnxruntime

NAMES = ("u", "g", "r", "i", "z", "redshift")


class Model(litserve.LitAPI):
    """Answers with labels and probabilities."""

    def setup(self, device: str) -> None:  # noqa: ARG002  # always the CPU
        """Load the model before the first request."""
        path = os.environ["MODEL"]
        self.session: Any = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def decode_request(self, request):  # type: ignore[no-untyped-def]  # a type here is that of the body
        """Turn a list of objects into a column a feature."""
        return {
            name: np.array([[row[name]] for row in request["rows"]], np.float32) for name in NAMES
        }

    def predict(self, x: Any) -> Any:
        """Run the graph."""
        return self.session.run(["label", "probabilities"], x)

    def encode_response(self, output: Any) -> Any:
        """Turn arrays into what JSON has."""
        labels, probabilities = output
        return {"labels": labels.tolist(), "probabilities": probabilities.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Model(), accelerator="cpu")
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        generate_client_file=False,
        access_log=False,
    )
