"""What the contract says of each feature: type, range or categories, what may be missing."""

from collections.abc import Mapping
from typing import Any

import onnx
import pandas as pd
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

from export.answers import graph_answers, missing, open_session
from export.errors import InvalidContract, NotExportable

About = Mapping[str, Mapping[str, Any]]

_KEYS = {"unit", "meaning", "nullable", "type", "domain"}
# No data set is likely to hold it as one of its categories.
_UNSEEN = "\N{REPLACEMENT CHARACTER}unseen"


def check_descriptions(about: About, types: dict[str, str]) -> None:
    """Raise InvalidContract where a description fits no feature or says what it cannot be."""
    for name, described in about.items():
        if name not in types:
            raise InvalidContract(f"{name!r} is described, but X has no such column")
        if unknown := set(described) - _KEYS:
            raise InvalidContract(f"feature {name!r}: {', '.join(sorted(unknown))} means nothing")
        if described.get("type", types[name]) != types[name]:
            raise InvalidContract(
                f"feature {name!r} is described as {described['type']}, but X holds {types[name]}"
            )
        _check_domain(name, described.get("domain"), types[name])
        if described.get("nullable") and types[name] != "float32":
            raise InvalidContract(
                f"feature {name!r} is nullable, but only float32 knows a missing value (NaN)"
            )


def nullable_features(
    pipeline: Any, X: pd.DataFrame, seen: pd.DataFrame, about: About, types: dict[str, str]
) -> list[str]:
    """Return the features that may be missing: declared so, or missing in some row.

    Raises
    ------
    NotExportable
        When the pipeline has no answer where one of them is missing.
    """
    nullable = [
        name
        for name in types
        if about.get(name, {}).get("nullable") or X[name].isna().any() or seen[name].isna().any()
    ]
    for name in nullable:
        try:
            pipeline.predict(missing(X.iloc[:1], name))
        except ValueError as error:
            raise NotExportable(
                f"feature {name!r} may be missing, but the pipeline refuses NaN there: {error}"
            ) from error
    return nullable


def describe_features(
    model: onnx.ModelProto,
    pipeline: Any,
    X: pd.DataFrame,
    X_train: pd.DataFrame | None,
    about: About,
    types: dict[str, str],
    nullable: list[str],
) -> list[dict[str, Any]]:
    """Return the entries of `features`, in the order of the graph's inputs."""
    seen = X if X_train is None else X_train
    described = []
    for name, type_ in types.items():
        unseen = _UNSEEN if type_ == "string" else seen[name].max() + 1000
        closed = type_ != "float32" and _is_closed(model, pipeline, X.iloc[:1], types, name, unseen)
        if closed and X_train is None:
            raise InvalidContract(
                f"feature {name!r} takes only the categories it was fitted with: "
                "give X_train (--train on the command line), so that the file can list them all"
            )
        values = seen[name].astype("float32" if type_ == "float32" else seen[name].dtype)
        described.append(
            {
                "name": name,
                "type": type_,
                "unit": about.get(name, {}).get("unit", ""),
                "meaning": about.get(name, {}).get("meaning", ""),
                "nullable": name in nullable,
                "domain": about.get(name, {}).get("domain"),
                "range": None if type_ == "string" else [values.min(), values.max()],
                "categories": sorted(set(values)) if closed or type_ == "string" else None,
                "closed": closed,
            }
        )
    return described


def _check_domain(name: str, domain: Any, type_: str) -> None:
    if domain is None:
        return
    ends = [end for end in domain if end is not None]
    if type_ == "string" or len(domain) != 2 or ends != sorted(ends):
        raise InvalidContract(
            f"feature {name!r} has the domain {domain!r}: give [low, high] of a number, "
            "with null for a side that is open"
        )


def _is_closed(
    model: onnx.ModelProto,
    pipeline: Any,
    row: pd.DataFrame,
    types: dict[str, str],
    name: str,
    unseen: Any,
) -> bool:
    """Try a value that the pipeline was not fitted with: has either of the two no answer?"""
    changed = row.assign(**{name: pd.Series([unseen], index=row.index, dtype=row[name].dtype)})
    try:
        pipeline.predict(changed)
        graph_answers(open_session(model), changed, types)
    except (ValueError, Fail, InvalidArgument, RuntimeException):
        return True
    return False
