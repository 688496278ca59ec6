"""Serve one ONNX model file over HTTP and log every prediction."""

import os

# onnxruntime reports to its makers unless this is set before it is imported; setting it later
# does not help.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
