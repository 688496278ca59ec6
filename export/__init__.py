"""Export: from a fitted pipeline to one ONNX file that answers alike and says what it is."""

import os

# onnxruntime reads this when it is imported; without it, it sends telemetry.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


from export.model import export_model

__all__ = ["export_model"]
