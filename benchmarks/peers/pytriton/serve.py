"""PyTriton: a function bound to a Triton server, which gathers requests into batches."""

import os
from typing import Any

import numpy as np
import onnxruntime
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

NAMES = ("u", "g", "r", "i", "z", "redshift")
MAX_ROWS = 10_000

session = onnxruntime.InferenceSession(os.environ["MODEL"], providers=["CPUExecutionProvider"])


@batch
def infer(**columns: Any) -> list[Any]:
    """Answer a column a feature with labels and probabilities."""
    labels, probabilities = session.run(["label", "probabilities"], columns)
    return [np.char.encode(labels.astype(str), "utf-8").reshape(-1, 1), probabilities]


if __name__ == "__main__":
    config = TritonConfig(
        http_address="127.0.0.1",
        http_port=int(os.environ["PORT"]),
        allow_grpc=False,
        allow_metrics=False,
    )
    with Triton(config=config) as triton:
        triton.bind(
            model_name="model",
            infer_func=infer,
            inputs=[Tensor(name=name, dtype=np.float32, shape=(1,)) for name in NAMES],
            outputs=[
                Tensor(name="labels", dtype=np.bytes_, shape=(1,)),
                Tensor(name="probabilities", dtype=np.float32, shape=(-1,)),
            ],
            config=ModelConfig(max_batch_size=MAX_ROWS),
        )
        triton.serve()
