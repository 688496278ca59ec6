"""Outputs that a graph computes only where its optional input `explain` is true."""

from typing import NamedTuple

import onnx
from onnx import NodeProto, TensorProto, helper

from export.errors import InvalidContract

EXPLAIN = "explain"
_ELEMENTS = {"float32": TensorProto.FLOAT, "bool": TensorProto.BOOL}


class Output(NamedTuple):
    """An output by its name, role, type, axes behind the rows, and meaning."""

    name: str
    role: str
    type: str
    shape: list[int]
    meaning: str


class Addition(NamedTuple):
    """Nodes and constants that make further outputs, each in the tensor `then/<name>`."""

    outputs: list[Output]
    nodes: list[NodeProto]
    constants: list[TensorProto]


def then(name: str) -> str:
    """Return the name that an output has inside the branch that computes it."""
    return f"then/{name}"


def add_outputs(model: onnx.ModelProto, additions: list[Addition]) -> onnx.ModelProto:
    """Return the graph with all additions behind one `If`; without any, the graph as it is.

    onnxruntime computes every output whatever is asked for, so leaving one out has to be said by
    an input. The input has a default, so who does not know of it gets everything.

    Raises
    ------
    InvalidContract
        When a feature bears the name of a tensor that is added.
    """
    outputs = [output for addition in additions for output in addition.outputs]
    if not outputs:
        return model
    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    graph = extended.graph
    branches = {"then_branch": _computed(additions), "else_branch": _empty(outputs)}
    taken = {name for branch in branches.values() for name in _names(branch)}
    if clashing := [node.name for node in graph.input if node.name in taken]:
        raise InvalidContract(f"the graph calls a tensor {clashing[0]!r}: rename the column")
    graph.input.append(helper.make_tensor_value_info(EXPLAIN, TensorProto.BOOL, []))
    graph.initializer.append(helper.make_tensor(EXPLAIN, TensorProto.BOOL, [], [True]))
    graph.node.append(
        helper.make_node(
            "If",
            [EXPLAIN],
            [output.name for output in outputs],
            **branches,
        )
    )
    graph.output.extend(_info(output.name, output, None) for output in outputs)
    onnx.checker.check_model(extended, full_check=True)
    return extended


def _names(graph: onnx.GraphProto) -> list[str]:
    made = [name for node in graph.node for name in node.output]
    return made + [constant.name for constant in graph.initializer]


def _computed(additions: list[Addition]) -> onnx.GraphProto:
    return helper.make_graph(
        [node for addition in additions for node in addition.nodes],
        "explained",
        [],
        [
            _info(then(output.name), output, None)
            for addition in additions
            for output in addition.outputs
        ],
        [constant for addition in additions for constant in addition.constants],
    )


def _empty(outputs: list[Output]) -> onnx.GraphProto:
    """Return a branch whose outputs have no rows."""
    nodes = []
    for output in outputs:
        nothing = helper.make_tensor("", _ELEMENTS[output.type], [0, *output.shape], [])
        nodes.append(helper.make_node("Constant", [], [f"else/{output.name}"], value=nothing))
    infos = [_info(f"else/{output.name}", output, 0) for output in outputs]
    return helper.make_graph(nodes, "not_explained", [], infos)


def _info(name: str, output: Output, rows: int | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, _ELEMENTS[output.type], [rows, *output.shape])
