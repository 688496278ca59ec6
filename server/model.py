"""The model: one ONNX session, checked against its own contract before it answers anybody."""

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from server.contract import Contract, InvalidModel, to_decimals
from server.contract_reader import read_contract
from server.cores import run_on_cores

# The last entry of the metadata, in the bytes of protobuf: field 14 of 81 bytes, the key of 11 and
# the value of 66, a JSON string.
_TAIL = re.compile(rb'\x72\x51\x0a\x0bfile_sha256\x12\x42"([0-9a-f]{64})"')
_TAIL_BYTES = 83
_GRAPH_TYPES = {
    "float32": "tensor(float)",
    "int64": "tensor(int64)",
    "string": "tensor(string)",
    "bool": "tensor(bool)",
}


@dataclass(frozen=True)
class Prediction:
    """What the model said: one ndarray of shape (n_rows, ...) an output, and how long it took."""

    outputs: dict[str, Any]
    # Rows of which the model says anything that is infinite or no number.
    not_finite: list[int]
    inference_ms: float


class Model:
    """A model file that has proved to answer as it promises.

    Parameters
    ----------
    path : Path
        The ONNX file.
    sha256 : str, optional
        The hash that the whole file must have, in hexadecimal digits.

    Raises
    ------
    InvalidModel
        If the file cannot be loaded, is not the one asked for, is damaged, has no contract, has a
        graph that is not the one the contract describes, or does not give the golden rows their
        answers.
    """

    def __init__(self, path: Path, sha256: str = "") -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InvalidModel(f"{path}: cannot be read: {error.strerror}") from None
        self.sha256 = hashlib.sha256(content).hexdigest()
        # Before anything else looks into it.
        if sha256 and self.sha256 != sha256.lower():
            raise InvalidModel(
                f"{path}: is not the file asked for: SEXTANT_MODEL_SHA256 is {sha256.lower()}, and "
                f"its sha256 is {self.sha256}"
            )
        if not _is_whole(content):
            raise InvalidModel(
                f"{path}: is no model file of Sextant's, or damaged: it does not end in the sha256 "
                "of what stands before; write it with export_model or python -m export"
            )
        options = onnxruntime.SessionOptions()
        # One row takes less time than waking a second thread, and spinning takes it from others.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # It would warn of an input with a default at every start; errors are raised.
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises a class of its own for each cause
            raise InvalidModel(f"{path}: onnxruntime cannot load it: {error}") from None
        try:
            self.contract: Contract = read_contract(
                self._session.get_modelmeta().custom_metadata_map
            )
            self._names = self.contract.output_names
            self._all_names = [*self._names, *self.contract.explained_names]
            self._switch = self.contract.explanation.input
            self._check_graph()
            self._replay_golden_rows()
        except InvalidModel as error:
            raise InvalidModel(f"{path}: {error}") from None
        except Exception as error:  # whatever a made-up file makes onnxruntime or numpy say
            raise InvalidModel(f"{path}: does not keep its contract: {error}") from None

    @property
    def named(self) -> dict[str, str]:
        """The model as answers and rows name it; the sha256 is that of the whole file."""
        contract = self.contract
        return {
            "name": contract.model_name,
            "version": contract.model_version,
            "sha256": self.sha256,
        }

    def predict(
        self,
        columns: Mapping[str, Any],
        *,
        explain: bool = True,
        names: Sequence[str] | None = None,
    ) -> Prediction:
        """Run the graph.

        Parameters
        ----------
        columns : mapping of str to ndarray of shape (n_rows,)
            One array a feature, of the feature's type; a missing value is NaN.
        explain : bool
            Whether to compute what the model can say beside its answer.
        names : sequence of str
            The outputs that are wanted; unless given, all that are computed.

        Returns
        -------
        Prediction
        """
        started = time.perf_counter()
        outputs = self._run(columns, explain, names)
        inference_ms = (time.perf_counter() - started) * 1e3
        not_finite = {
            int(row)
            for name, array in outputs.items()
            # A derived feature may be missing.
            if array.dtype == np.float32 and name != "derived" and not np.isfinite(array).all()
            for row in np.argwhere(~np.isfinite(array))[:, 0]
        }
        return Prediction(outputs, sorted(not_finite), inference_ms)

    def _run(self, columns: Mapping[str, Any], explain: bool, names: Any = None) -> dict[str, Any]:
        names = names or (self._all_names if explain else self._names)
        switch = {self._switch: np.array(explain)} if self._switch else {}

        def run(share: dict[str, Any]) -> list[Any]:
            found: list[Any] = self._session.run(names, share | switch)
            return found

        feeds = {name: column.reshape(-1, 1) for name, column in columns.items()}
        n_rows = len(next(iter(feeds.values())))
        return dict(zip(names, run_on_cores(run, feeds, n_rows), strict=True))

    def _check_graph(self) -> None:
        contract = self.contract
        promised = [(f.name, _GRAPH_TYPES[f.type]) for f in contract.features]
        found = [(node.name, node.type) for node in self._session.get_inputs()]
        if found != promised:
            raise InvalidModel(
                f"its contract promises the inputs {promised}, its graph has {found}"
            )
        promised = [(o.name, _GRAPH_TYPES[o.type]) for o in contract.outputs]
        found = [(node.name, node.type) for node in self._session.get_outputs()]
        if found != promised:
            raise InvalidModel(
                f"its contract promises the outputs {promised}, its graph has {found}"
            )

    def _replay_golden_rows(self) -> None:
        golden = self.contract.golden
        columns = {f.name: f.to_array(golden.inputs[f.name]) for f in self.contract.features}
        answers = self._run(columns, True)
        for name, expected in golden.outputs.items():
            answer = answers[name]
            wanted = np.array(expected, dtype=answer.dtype)
            if answer.dtype == np.float32:
                same = np.abs(answer - wanted) <= self.contract.parity.tolerance
            else:
                same = answer == wanted
            if not np.all(same):
                row = int(np.argwhere(~same)[0][0])
                raise InvalidModel(
                    f"golden row {row} should give {name} {expected[row]}, and the graph gives "
                    f"{to_decimals(answer)[row]}: the file is damaged, or this onnxruntime "
                    f"({onnxruntime.__version__}) computes otherwise"
                )


def _is_whole(content: bytes) -> bool:
    """Tell whether the file ends in the sha256 of what stands before its last entry."""
    found = _TAIL.fullmatch(content[-_TAIL_BYTES:])
    digest = hashlib.sha256(content[:-_TAIL_BYTES]).hexdigest()
    return found is not None and found[1].decode() == digest
