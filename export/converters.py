"""Converters of our own estimators to ONNX, and the details that such an estimator answers."""

from typing import Any, NamedTuple

from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from skl2onnx.proto import onnx_proto

from research.features import Colours
from research.heads import PHOTOMETRIC, SPECTROSCOPIC, TwoHeads


class Detail(NamedTuple):
    """One more output of a classifier or regressor, as its `predict_details` answers it."""

    name: str
    type: str
    meaning: str
    values: tuple[str, ...] | None


# In the order in which the converter declares them, behind label and probabilities.
DETAILS: dict[type, tuple[Detail, ...]] = {
    TwoHeads: (
        Detail(
            "head",
            "string",
            "which head answered: the photometric one where the redshift is missing",
            (PHOTOMETRIC, SPECTROSCOPIC),
        ),
    )
}

# Estimators that take their columns one by one; all others get them side by side in one tensor.
COLUMN_BY_COLUMN: tuple[type, ...] = (Colours,)


def _colours_shape(operator: Any) -> None:
    operator.outputs[0].type = FloatTensorType([None, 6])


def _convert_colours(scope: Any, operator: Any, container: Any) -> None:
    columns = operator.raw_operator.columns_
    u, g, r, i, z, redshift = [_column(scope, operator, container, index) for index in columns]
    parts = [r]
    for bluer, redder in ((u, g), (g, r), (r, i), (i, z)):
        parts.append(add_node(scope, container, "Sub", [bluer, redder]))
    add_node(scope, container, "Concat", [*parts, redshift], operator.outputs[0].full_name, axis=1)


def _column(scope: Any, operator: Any, container: Any, index: int) -> str:
    """Return the name of one column of the operator's input, be that columns or one tensor."""
    if len(operator.inputs) > 1:
        return str(operator.inputs[index].full_name)
    return _gather(scope, container, operator.inputs[0].full_name, [index])


def _two_heads_parser(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:  # noqa: ARG001  # skl2onnx passes it
    operator = scope.declare_local_operator("SextantTwoHeads", model)
    operator.inputs = inputs
    for name, type_ in (
        ("label", Int64TensorType()),
        ("probabilities", FloatTensorType()),
        ("head", StringTensorType()),
    ):
        operator.outputs.append(scope.declare_local_variable(name, type_))
    return operator.outputs


def _two_heads_shape(operator: Any) -> None:
    classes = len(operator.raw_operator.classes_)
    for output, type_ in zip(
        operator.outputs,
        (Int64TensorType([None]), FloatTensorType([None, classes]), StringTensorType([None])),
        strict=True,
    ):
        output.type = type_


def _convert_two_heads(scope: Any, operator: Any, container: Any) -> None:
    heads = operator.raw_operator
    features = operator.inputs[0]
    last = heads.n_features_in_ - 1
    photometric_features = scope.declare_local_variable(
        "photometric", FloatTensorType([None, last])
    )
    _gather(scope, container, features.full_name, list(range(last)), photometric_features.full_name)
    spectroscopic = _convert_head(scope, heads.spectroscopic_, features)
    photometric = _convert_head(scope, heads.photometric_, photometric_features)

    redshift = _gather(scope, container, features.full_name, [last])
    absent = add_node(scope, container, "IsNaN", [redshift])
    label, probabilities, head = [output.full_name for output in operator.outputs]
    add_node(scope, container, "Where", [absent, photometric, spectroscopic], probabilities)
    add_node(scope, container, "ArgMax", [probabilities], label, axis=1, keepdims=0)

    names = []
    for name in (PHOTOMETRIC, SPECTROSCOPIC):
        names.append(scope.get_unique_variable_name(name))
        container.add_initializer(names[-1], onnx_proto.TensorProto.STRING, [1], [name.encode()])
    column = add_node(scope, container, "Where", [absent, *names])
    shape = scope.get_unique_variable_name("flat")
    container.add_initializer(shape, onnx_proto.TensorProto.INT64, [1], [-1])
    add_node(scope, container, "Reshape", [column, shape], head)


def _convert_head(scope: Any, head: Any, features: Any) -> str:
    """Have a fitted head converted by its own converter; return its probabilities' name."""
    operator = scope.declare_local_operator("SklearnHistGradientBoostingClassifier", head)
    operator.inputs = [features]
    probabilities = scope.declare_local_variable("head_probabilities", FloatTensorType())
    operator.outputs.append(scope.declare_local_variable("head_label", Int64TensorType()))
    operator.outputs.append(probabilities)
    return str(probabilities.full_name)


def _gather(
    scope: Any, container: Any, tensor: str, columns: list[int], output: str | None = None
) -> str:
    indices = scope.get_unique_variable_name("columns")
    container.add_initializer(indices, onnx_proto.TensorProto.INT64, [len(columns)], columns)
    return add_node(scope, container, "Gather", [tensor, indices], output, axis=1)


def add_node(
    scope: Any,
    container: Any,
    kind: str,
    inputs: list[str],
    output: str | None = None,
    **attributes: int,
) -> str:
    """Add a node to the graph; return its output's name, a new one unless given."""
    output = output or str(scope.get_unique_variable_name(kind.lower()))
    container.add_node(
        kind, inputs, output, name=scope.get_unique_operator_name(kind), **attributes
    )
    return output


update_registered_converter(Colours, "SextantColours", _colours_shape, _convert_colours)
update_registered_converter(
    TwoHeads,
    "SextantTwoHeads",
    _two_heads_shape,
    _convert_two_heads,
    parser=_two_heads_parser,
    # Every classifier is converted with this option off, so each must know it.
    options={"zipmap": [True, False]},
)
