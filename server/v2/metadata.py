"""What the protocol tells of the server and of its model."""

from typing import Any

from server.contract import Contract
from server.v2.datatypes import BYTES, OF_CONTRACT

VERSION = "model_version"
# Outputs that are not the model's: the id under which a row is stored, what it is warned of, a list
# as JSON, and the version that answered it.
BESIDE = ("prediction_id", "warnings", VERSION)

SERVER = {
    "name": "sextant",
    "version": "unreleased",
    "extensions": ["binary_tensor_data", "statistics"],
}


def of_model(contract: Contract, *others: Contract) -> dict[str, Any]:
    """Return the names, datatypes and shapes of what the model takes and of all it can answer.

    `others` are further versions of it that are served.
    """
    inputs = [
        {"name": feature.name, "datatype": OF_CONTRACT[feature.type], "shape": [-1, 1]}
        for feature in contract.features
    ]
    outputs = [
        {"name": each.name, "datatype": OF_CONTRACT[each.type], "shape": [-1, *each.shape]}
        for each in contract.outputs
    ]
    outputs += [{"name": name, "datatype": BYTES, "shape": [-1]} for name in BESIDE]
    return {
        "name": contract.model_name,
        "versions": [each.model_version for each in (contract, *others)],
        "platform": "onnx_onnxv1",
        "inputs": inputs,
        "outputs": outputs,
    }
