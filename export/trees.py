"""The trees of a graph: their thresholds, and what they are fed."""

from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from export.answers import open_session
from export.columns import Tensors

# Of a forest with more thresholds than this, a sample is enough to show a wrong rounding.
MAX_THRESHOLDS = 10_000


class Thresholds(NamedTuple):
    """Where each threshold is: which tensor feeds the tree, which of its columns, the value."""

    tensor: NDArray[np.int64]
    column: NDArray[np.int64]
    value: NDArray[np.float32]


class TreeInputs:
    """A graph that answers with the tensors that feed its trees."""

    def __init__(self, model: onnx.ModelProto) -> None:
        probe = onnx.ModelProto()
        probe.CopyFrom(model)
        self._trees = [each for each in probe.graph.node if each.op_type.startswith("TreeEnsemble")]
        self._tensors = list(dict.fromkeys(tree.input[0] for tree in self._trees))
        del probe.graph.output[:]
        for index, tensor in enumerate(self._tensors):
            probe.graph.node.append(helper.make_node("Identity", [tensor], [f"probe/{index}"]))
            probe.graph.output.append(helper.make_empty_tensor_value_info(f"probe/{index}"))
        if self._tensors:
            self._session = open_session(probe)

    def __call__(self, tensors: Tensors) -> list[NDArray[Any]]:
        """Return what feeds the trees, one array a distinct tensor."""
        return list(self._session.run(None, tensors))

    def thresholds(self) -> Thresholds:
        """Return the distinct finite thresholds, or a sample where there are too many."""
        rows = np.unique(np.concatenate([np.empty((0, 3)), *map(self._rows, self._trees)]), axis=0)
        rows = rows[np.isfinite(rows[:, 2])]
        if len(rows) > MAX_THRESHOLDS:
            rows = np.random.default_rng(0).choice(rows, MAX_THRESHOLDS, replace=False)
        tensor, column, value = rows.T
        return Thresholds(
            tensor.astype(np.int64), column.astype(np.int64), value.astype(np.float32)
        )

    def _rows(self, tree: onnx.NodeProto) -> NDArray[np.float64]:
        """Return tensor, column and value of each of a tree ensemble's thresholds."""
        given = {each.name: helper.get_attribute_value(each) for each in tree.attribute}
        branches = np.array(given["nodes_modes"]) != b"LEAF"
        column = np.array(given["nodes_featureids"])[branches]
        value = np.array(given["nodes_values"])[branches]
        return np.column_stack(
            [np.full(len(column), self._tensors.index(tree.input[0])), column, value]
        )
