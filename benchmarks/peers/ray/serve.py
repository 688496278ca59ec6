"""Ray Serve: a deployment of one replica, behind the proxy of a cluster of this machine alone."""

import os
from typing import Any

import numpy as np
import onnxruntime
import ray
from ray import serve
from ray.serve._private import replica
from starlette.requests import Request

NAMES = ("u", "g", "r", "i", "z", "redshift")


def listen_on_loopback() -> None:
    """Keep the port for other deployments from listening on all addresses: no setting does."""
    listen = replica.add_port_to_grpc_server
    replica.add_port_to_grpc_server = lambda server, _: listen(server, "127.0.0.1:0")


@serve.deployment
class Model:
    """Answers with labels and probabilities."""

    def __init__(self, path: str) -> None:
        listen_on_loopback()
        self.session: Any = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    async def __call__(self, request: Request) -> dict[str, list[Any]]:
        """Answer a list of objects."""
        rows = await request.json()
        feeds = {name: np.array([[row[name]] for row in rows], np.float32) for name in NAMES}
        labels, probabilities = self.session.run(["label", "probabilities"], feeds)
        return {"labels": labels.tolist(), "probabilities": probabilities.tolist()}


if __name__ == "__main__":
    # Without an address, Ray listens on all that the machine has.
    ray.init(_node_ip_address="127.0.0.1", include_dashboard=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["PORT"])})
    serve.run(Model.bind(os.environ["MODEL"]), blocking=True)
