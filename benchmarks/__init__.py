"""Load for a running server, and the same load on something to compare it with."""

import os

# onnxruntime reports to its makers unless this is set before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
