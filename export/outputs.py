"""What a model answers: its classes, its outputs and the details beside them."""

from typing import Any

from sklearn.base import is_classifier, is_regressor

from export.branches import Output
from export.converters import DETAILS, Detail
from export.errors import NotExportable
from export.last_step import last_step


def class_names(pipeline: Any) -> list[str]:
    """Return the classes' names in the order of the probability columns; none for a regression.

    Raises
    ------
    NotExportable
        When the pipeline neither predicts probabilities nor a value.
    """
    name = type(last_step(pipeline)).__name__
    if is_regressor(pipeline):
        return []
    if not is_classifier(pipeline):
        raise NotExportable(f"step {name!r} is neither a classifier nor a regressor")
    if not hasattr(pipeline, "predict_proba"):
        raise NotExportable(
            f"step {name!r} has no predict_proba: use a classifier that has, such as "
            f"LogisticRegression, or CalibratedClassifierCV({name}(), ensemble=False)"
        )
    return [str(label) for label in pipeline.classes_]


def details_of(pipeline: Any) -> tuple[Detail, ...]:
    """Return what the last step answers beside label and probabilities."""
    return DETAILS.get(type(last_step(pipeline)), ())


def describe_outputs(names: list[str], details: tuple[Detail, ...]) -> list[dict[str, Any]]:
    """Return the entries of `outputs`, in the graph's order, for classes of these names."""
    if not names:
        return [_entry("value", "float32", "the predicted value")]
    return [
        _entry("label", "string", "the most probable class", values=names),
        _entry(
            "probabilities",
            "float32",
            "the probability of each class",
            shape=[len(names)],
        ),
        *(
            _entry(
                "detail",
                detail.type,
                detail.meaning,
                name=detail.name,
                values=list(detail.values) if detail.values else None,
            )
            for detail in details
        ),
    ]


def describe_added(outputs: list[Output]) -> list[dict[str, Any]]:
    """Return the entries of the outputs that are computed only where `explain` is true."""
    return [
        _entry(each.role, each.type, each.meaning, name=each.name, shape=each.shape)
        for each in outputs
    ]


def _entry(
    role: str,
    type_: str,
    meaning: str,
    *,
    name: str = "",
    shape: list[int] | None = None,
    values: list[str] | None = None,
) -> dict[str, Any]:
    return {
        "name": name or role,
        "role": role,
        "type": type_,
        "shape": shape or [],
        "meaning": meaning,
        "values": values,
    }
