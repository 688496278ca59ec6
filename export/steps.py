"""The steps of a pipeline by name, and those that cannot be exported."""

from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
from skl2onnx._supported_operators import sklearn_operator_name_map
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from export.errors import NotExportable

# Steps without a converter, or whose conversion answers otherwise without a word: when, and what
# to do instead. By name, for a class of scikit-learn is found under it in every version.
_REFUSED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "SplineTransformer": (
        lambda _: True,
        "use KBinsDiscretizer, PolynomialFeatures or gradient boosting",
    ),
    "FunctionTransformer": (
        lambda step: step.func is not None,
        "compute the column before the pipeline, or write a transformer with a converter of its "
        "own, as export/converters.py does for research.features.Colours",
    ),
    "VotingClassifier": (lambda step: step.flatten_transform, "set flatten_transform=False"),
    "KBinsDiscretizer": (lambda step: step.encode == "onehot", "set encode='onehot-dense'"),
    "MissingIndicator": (lambda _: True, "use HistGradientBoosting, which takes NaN as it is"),
    "SimpleImputer": (
        lambda step: step.add_indicator,
        "leave add_indicator off, or use HistGradientBoosting, which takes NaN as it is",
    ),
    "CalibratedClassifierCV": (
        lambda step: step.method != "sigmoid",
        "use method='sigmoid'; isotonic steps fall elsewhere in float32",
    ),
    "HistGradientBoostingClassifier": (
        lambda step: step.is_categorical_ is not None,
        "encode categories with OneHotEncoder or OrdinalEncoder and leave categorical_features "
        "None; its own categorical splits are lost",
    ),
}
for _vectorizer in ("CountVectorizer", "HashingVectorizer", "TfidfVectorizer"):
    _REFUSED[_vectorizer] = (lambda _: True, "make numbers of text before the pipeline")
_REFUSED["HistGradientBoostingRegressor"] = _REFUSED["HistGradientBoostingClassifier"]
_CONTAINERS = (Pipeline, ColumnTransformer, FeatureUnion)


def walk(estimator: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield every fitted estimator within one, itself first, under the names of its steps."""
    yield " > ".join(path) or type(estimator).__name__, estimator
    for attribute, value in vars(estimator).items():
        if attribute in ("steps", "transformer_list"):
            yield from _within(value, path)
        # Boosting starts from a constant in init_, which its own converter knows.
        elif attribute.endswith("_") and not attribute.startswith("_") and attribute != "init_":
            shown = () if attribute == "transformers_" else (attribute.rstrip("_"),)
            yield from _within(value, (*path, *shown))


def top_steps(pipeline: Any) -> list[tuple[str, Any]]:
    """Return the pipeline's own steps by name, or an estimator that is none by its class."""
    if isinstance(pipeline, Pipeline):
        return list(pipeline.steps)
    return [(type(pipeline).__name__, pipeline)]


def refuse_steps(pipeline: Any) -> None:
    """Raise NotExportable for the first step that cannot be exported, with what to do instead."""
    protobuf = version("protobuf")
    if int(protobuf.split(".")[0]) >= 7:
        raise NotExportable(
            f"protobuf {protobuf} breaks the export of gradient boosting: pip install 'protobuf<7'"
        )
    for path, step in walk(pipeline):
        name = type(step).__name__
        refused, mend = _REFUSED.get(name, (lambda _: False, ""))
        if refused(step):
            raise NotExportable(f"step {path!r} ({name}) cannot be exported: {mend}")
        if not isinstance(step, _CONTAINERS) and type(step) not in sklearn_operator_name_map:
            raise NotExportable(
                f"step {path!r} ({type(step).__module__}.{name}) has no converter to ONNX: use a "
                "step of scikit-learn that has one, or register one as export/converters.py does"
            )


def _within(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, BaseEstimator):
        yield from walk(value, path)
    elif isinstance(value, tuple) and len(value) > 1 and isinstance(value[0], str):
        yield from _within(value[1], (*path, value[0]))
    elif isinstance(value, dict):
        yield from _within(list(value.values()), path)
    elif isinstance(value, list | tuple) or (
        isinstance(value, np.ndarray) and value.dtype == object
    ):
        for item in value:
            yield from _within(item, path)
