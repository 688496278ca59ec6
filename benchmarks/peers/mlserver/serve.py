"""MLServer: a custom runtime around a session; see its settings in model-settings.json."""

import os
from typing import Any

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Runtime(MLModel):
    """Answers with labels and probabilities."""

    async def load(self) -> bool:
        """Load the model before the first request."""
        path = os.environ["MODEL"]
        self.session: Any = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer a tensor a feature."""
        feeds = {
            each.name: NumpyCodec.decode_input(each).astype(np.float32, copy=False)
            for each in payload.inputs
        }
        labels, probabilities = self.session.run(["label", "probabilities"], feeds)
        outputs = [
            StringCodec.encode_output("labels", labels.tolist()),
            NumpyCodec.encode_output("probabilities", probabilities),
        ]
        return InferenceResponse(model_name=self.name, outputs=outputs)
