"""What the protocol calls the types of tensors, as numpy and the contract know them."""

from typing import Any

import numpy as np

# Little-endian on the wire, whatever the machine.
DTYPES: dict[str, Any] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
# Text, each of its own length.
BYTES = "BYTES"
OF_CONTRACT = {"float32": "FP32", "int64": "INT64", "string": BYTES, "bool": "BOOL"}
