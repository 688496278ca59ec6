"""FastAPI: a pydantic model a row, a session made in the lifespan, one uvicorn process."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

sessions: dict[str, Any] = {}


class Row(BaseModel):
    """One object."""

    u: float
    g: float
    r: float
    i: float
    z: float
    redshift: float


class Answer(BaseModel):
    """What the model says of a list of objects."""

    labels: list[str]
    probabilities: list[list[float]]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Load the model before the first request."""
    path = os.environ["MODEL"]
    sessions["model"] = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    yield
    sessions.clear()


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
async def predict(rows: list[Row]) -> Answer:
    """Answer a list of objects."""
    feeds = {
        name: np.array([[getattr(row, name)] for row in rows], np.float32)
        for name in Row.model_fields
    }
    labels, probabilities = sessions["model"].run(["label", "probabilities"], feeds)
    return Answer(labels=labels.tolist(), probabilities=probabilities.tolist())


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=False)
