"""Bring a converted graph into the form that the contract promises."""

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from export.errors import NotExportable

OPSETS = {"": 17, "ai.onnx.ml": 3}
IR_VERSION = 8
# The input that stands for all features, where the first step takes them side by side.
MERGED = "merged_features"

_ELEMENTS = {
    "float32": TensorProto.FLOAT,
    "int64": TensorProto.INT64,
    "string": TensorProto.STRING,
}
# Before every name that came out of the converter, so that none can be a feature's or an output's.
_INNER = "inner/"


def finish(
    converted: onnx.ModelProto,
    types: dict[str, str],
    class_names: list[str],
    details: dict[str, str],
) -> onnx.ModelProto:
    """Return the graph with named inputs, the contract's outputs and nothing that they don't need.

    The label is decided here and nowhere else: the class of the largest probability.
    """
    graph = converted.graph
    merged = graph.input[0].name == MERGED
    answers = [_INNER + output.name for output in graph.output]
    # The converter changes names that are no identifiers, but keeps the inputs' order.
    given = zip((each.name for each in graph.input), types, strict=True)
    _rename(graph, {} if merged else dict(given))
    nodes = [*(_merge(types) if merged else []), *graph.node]
    if class_names:
        nodes += _classification_nodes(answers, list(details))
        outputs = _classification_outputs(len(class_names), details)
    else:
        nodes += _value_nodes(answers[0])
        outputs = [helper.make_tensor_value_info("value", TensorProto.FLOAT, [None])]
    inputs = [
        helper.make_tensor_value_info(name, _ELEMENTS[type_], [None, 1])
        for name, type_ in types.items()
    ]
    nodes = _needed(nodes, {output.name for output in outputs})
    _drop_hit_rates(nodes)
    used = {name for node in nodes for name in node.input}
    constants = [*graph.initializer, *_own_constants(class_names)]
    return _stamped(
        helper.make_graph(
            nodes, "model", inputs, outputs, [each for each in constants if each.name in used]
        )
    )


def rebuilt(
    model: onnx.ModelProto, nodes: list[NodeProto], constants: list[TensorProto]
) -> onnx.ModelProto:
    """Return the graph with nodes added, in the place of those that made the same tensors."""
    graph = model.graph
    made = {name for node in nodes for name in node.output}
    kept = [node for node in graph.node if made.isdisjoint(node.output)]
    wanted = {output.name for output in graph.output}
    needed = _needed(_sorted([*kept, *nodes]), wanted)
    used = {name for node in needed for name in node.input}
    held = [each for each in (*graph.initializer, *constants) if each.name in used]
    return _stamped(helper.make_graph(needed, "model", graph.input, graph.output, held))


def _sorted(nodes: list[NodeProto]) -> list[NodeProto]:
    """Return the nodes so that each stands behind those that it takes from."""
    made = {name for node in nodes for name in node.output}
    done: list[NodeProto] = []
    while nodes:
        ready = [node for node in nodes if made.isdisjoint(node.input)]
        if not ready:
            raise NotExportable("the graph has a circle")
        made.difference_update(name for node in ready for name in node.output)
        done += ready
        nodes = [node for node in nodes if not made.isdisjoint(node.output)]
    return done


def _rename(graph: onnx.GraphProto, features: dict[str, str]) -> None:
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [features.get(name, name and _INNER + name) for name in names]
    for constant in graph.initializer:
        constant.name = _INNER + constant.name


def _merge(types: dict[str, str]) -> list[NodeProto]:
    """Set the features side by side in one tensor of float32."""
    casts = {
        name: helper.make_node("Cast", [name], [f"{_INNER}{name}/float"], to=TensorProto.FLOAT)
        for name, type_ in types.items()
        if type_ != "float32"
    }
    columns = [casts[name].output[0] if name in casts else name for name in types]
    return [
        *casts.values(),
        helper.make_node("Concat", columns, [_INNER + MERGED], axis=1),
    ]


def _classification_nodes(answers: list[str], details: list[str]) -> list[NodeProto]:
    # The converter's own label comes first; it is left out.
    _, probabilities, *others = answers
    return [
        helper.make_node("Cast", [probabilities], ["probabilities"], to=TensorProto.FLOAT),
        helper.make_node("ArgMax", ["probabilities"], ["class_index"], axis=1, keepdims=0),
        helper.make_node("Gather", ["class_names", "class_index"], ["label"], axis=0),
        *(
            helper.make_node("Identity", [answer], [name])
            for answer, name in zip(others, details, strict=True)
        ),
    ]


def _classification_outputs(classes: int, details: dict[str, str]) -> list[ValueInfoProto]:
    return [
        helper.make_tensor_value_info("label", TensorProto.STRING, [None]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, classes]),
        *(
            helper.make_tensor_value_info(name, _ELEMENTS[type_], [None])
            for name, type_ in details.items()
        ),
    ]


def _value_nodes(answer: str) -> list[NodeProto]:
    return [
        helper.make_node("Cast", [answer], [f"{_INNER}as_float"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", [f"{_INNER}as_float", "one_axis"], ["value"]),
    ]


def _own_constants(class_names: list[str]) -> list[TensorProto]:
    return [
        helper.make_tensor(
            "class_names",
            TensorProto.STRING,
            [len(class_names)],
            np.array([name.encode() for name in class_names], dtype=object),
        ),
        numpy_helper.from_array(np.array([-1]), "one_axis"),
    ]


def _needed(nodes: list[NodeProto], wanted: Iterable[str]) -> list[NodeProto]:
    """Return the nodes that the wanted tensors depend on, in their order."""
    needed, names = [], set(wanted)
    for node in reversed(nodes):
        if names.intersection(node.output):
            needed.append(node)
            names.update(node.input)
    return needed[::-1]


def _drop_hit_rates(nodes: list[NodeProto]) -> None:
    """Remove how often each branch was taken: no runtime needs it; it is an eighth of the file."""
    for node in nodes:
        kept = [each for each in node.attribute if each.name != "nodes_hitrates"]
        del node.attribute[:]
        node.attribute.extend(kept)


def _stamped(graph: onnx.GraphProto) -> onnx.ModelProto:
    foreign = {node.domain for node in graph.node} - set(OPSETS)
    if foreign:
        raise NotExportable(f"the graph needs operators of {', '.join(sorted(foreign))}")
    model = helper.make_model(
        graph,
        producer_name="sextant",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in OPSETS.items()],
    )
    onnx.checker.check_model(model, full_check=True)
    return model
