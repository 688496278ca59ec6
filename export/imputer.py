"""Converter of SimpleImputer that fills whole numbers and sentinels as well.

The converter that skl2onnx brings knows NaN in float32 alone: it breaks off at whole numbers, which
scikit-learn turns into float64 at this step, and at missing values that are written as -1.
"""

from typing import Any

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx.common._registration import get_converter, get_shape_calculator
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from skl2onnx.proto import onnx_proto
from sklearn.impute import SimpleImputer

from export.converters import add_node
from export.errors import NotExportable

_STRINGS = "SklearnSimpleImputer"


def _holds_strings(operator: Any) -> bool:
    return isinstance(operator.inputs[0].type, StringTensorType)


def _imputer_shape(operator: Any) -> None:
    if _holds_strings(operator):
        get_shape_calculator(_STRINGS)(operator)
    else:
        operator.outputs[0].type = FloatTensorType([None, operator.raw_operator.n_features_in_])


def _convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    if _holds_strings(operator):
        get_converter(_STRINGS)(scope, operator, container)
        return
    imputer = operator.raw_operator
    statistics = imputer.statistics_.astype(np.float32)
    if np.isnan(statistics).any():
        raise NotExportable("SimpleImputer was fitted on a column without any value: leave it out")

    def constant(values: list[float]) -> str:
        name = str(scope.get_unique_variable_name("constant"))
        container.add_initializer(name, onnx_proto.TensorProto.FLOAT, [len(values)], values)
        return name

    columns = [
        add_node(scope, container, "Cast", [each.full_name], to=onnx_proto.TensorProto.FLOAT)
        for each in operator.inputs
    ]
    given = add_node(scope, container, "Concat", columns, axis=1)
    if np.isnan(imputer.missing_values):
        absent = add_node(scope, container, "IsNaN", [given])
    else:
        sentinel = constant([float(imputer.missing_values)])
        absent = add_node(scope, container, "Equal", [given, sentinel])
    filled = [absent, constant(statistics.tolist()), given]
    add_node(scope, container, "Where", filled, operator.outputs[0].full_name)


update_registered_converter(
    SimpleImputer, "SextantSimpleImputer", _imputer_shape, _convert_imputer, overwrite=True
)
