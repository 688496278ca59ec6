"""Converters of scikit-learn's scalers that round as scikit-learn does.

The converters that skl2onnx brings multiply by 1/scale where scikit-learn divides. The last bit
then differs, and a tree behind the scaler sees another side of its threshold.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType
from skl2onnx.proto import onnx_proto
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from export.converters import add_node

SCALERS = (StandardScaler, MinMaxScaler, RobustScaler, MaxAbsScaler)

_FLOAT, _DOUBLE = onnx_proto.TensorProto.FLOAT, onnx_proto.TensorProto.DOUBLE


class _Operation(NamedTuple):
    """One operation in place: its kind in ONNX, its constants of shape (n_features,), its type."""

    kind: str
    constants: NDArray[np.float64] | None
    # Whether numpy computes float32 in float64 and rounds the result, or in float32 throughout.
    is_double: bool


def _operations(scaler: Any) -> list[_Operation]:
    """Return what `transform` does to dense rows, in its order, for scikit-learn 1.9."""
    if isinstance(scaler, StandardScaler):
        # mean_ and scale_ are rounded to the type of X first.
        mean = scaler.mean_ if scaler.with_mean else None
        return [_Operation("Sub", mean, False), _Operation("Div", scaler.scale_, False)]
    if isinstance(scaler, RobustScaler):
        center = scaler.center_ if scaler.with_centering else None
        scale = scaler.scale_ if scaler.with_scaling else None
        return [_Operation("Sub", center, True), _Operation("Div", scale, True)]
    if isinstance(scaler, MinMaxScaler):
        return [_Operation("Mul", scaler.scale_, True), _Operation("Add", scaler.min_, True)]
    return [_Operation("Div", scaler.scale_, True)]


def _bounds(scaler: Any) -> tuple[float, float] | None:
    if not getattr(scaler, "clip", False):
        return None
    return scaler.feature_range if isinstance(scaler, MinMaxScaler) else (-1.0, 1.0)


def is_float64(variable: Any) -> bool:
    """Tell whether scikit-learn holds in float64 what the graph holds in this variable.

    Whole numbers make it so, also those beside float32 in one table, and encoders do.
    """
    if isinstance(variable.type, Int64TensorType | DoubleTensorType):
        return True
    if (parent := variable._parent) is None:
        return False
    if isinstance(parent.raw_operator, OneHotEncoder | OrdinalEncoder):
        return bool(parent.raw_operator.dtype == np.float64)
    return any(is_float64(each) for each in parent.inputs)


def _scaler_shape(operator: Any) -> None:
    operator.outputs[0].type = FloatTensorType([None, operator.raw_operator.n_features_in_])


def _convert_scaler(scope: Any, operator: Any, container: Any) -> None:
    def constant(values: Any, element: int) -> str:
        name = str(scope.get_unique_variable_name("constant"))
        flat = np.atleast_1d(values)
        shape = [len(flat)] if np.ndim(values) else []
        container.add_initializer(name, element, shape, flat.tolist())
        return name

    def cast(tensor: str, element: int) -> str:
        return add_node(scope, container, "Cast", [tensor], to=element)

    is_wide = any(is_float64(each) for each in operator.inputs)
    element = _DOUBLE if is_wide else _FLOAT
    columns = [cast(each.full_name, element) for each in operator.inputs]
    scaled = add_node(scope, container, "Concat", columns, axis=1)
    for kind, constants, is_double in _operations(operator.raw_operator):
        if constants is None:
            continue
        if is_double and not is_wide:
            inputs = [cast(scaled, _DOUBLE), constant(constants, _DOUBLE)]
            scaled = cast(add_node(scope, container, kind, inputs), _FLOAT)
        else:
            rounded = np.asarray(constants, dtype=np.float64 if is_wide else np.float32)
            scaled = add_node(scope, container, kind, [scaled, constant(rounded, element)])
    if (bounds := _bounds(operator.raw_operator)) is not None:
        limits = [constant(bound, element) for bound in bounds]
        scaled = add_node(scope, container, "Clip", [scaled, *limits])
    add_node(scope, container, "Cast", [scaled], operator.outputs[0].full_name, to=_FLOAT)


for _scaler in SCALERS:
    update_registered_converter(
        _scaler, f"Sextant{_scaler.__name__}", _scaler_shape, _convert_scaler, overwrite=True
    )
