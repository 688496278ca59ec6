"""What a model file says of itself: built, checked and written into the metadata."""

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd

from export.errors import InvalidContract

CONTRACT_VERSION = 1
# What a request or the log calls its own fields; SQL compares without regard to case.
RESERVED = frozenset(
    (
        "prediction_id",
        "predicted_at",
        "request_id",
        "instance",
        "instances",
        "explain",
        "id",
        "model",
        "model_name",
        "model_version",
        "label",
        "value",
        "probabilities",
        "warnings",
        "inference_ms",
        "model_sha256",
    )
)
# A request's reader compares the names of features as they stand in the body, without escapes.
UNUSABLE = '"\\'
PROVENANCE = ("trained_at", "data_sha256", "data_rows", "git_commit")
SCORE = ("name", "mode", "split", "mean", "sd", "n", "headline")
# Of the last entry: tag and length of itself, its key and its value, 2 bytes each; the key
# "file_sha256"; 64 digits in quotes.
TAIL_BYTES = 2 + (2 + 11) + (2 + 66)
LIBRARIES = ("scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy")


def check_names(features: list[str], outputs: list[str], class_names: list[str]) -> None:
    """Raise InvalidContract for names that are empty, not printable, reserved or there twice."""
    for name in (*features, *class_names):
        check_text("the name", name)
    for name in features:
        if unusable := sorted(set(name) & set(UNUSABLE)):
            raise InvalidContract(
                f"the name {name!r} holds {' and '.join(unusable)}, which JSON has to escape: "
                "rename the column"
            )
    for name in (*features, *(output for output in outputs if output not in RESERVED)):
        if name.lower() in RESERVED:
            raise InvalidContract(
                f"{name!r} is a name that requests or the prediction log use: rename the column"
            )
    _refuse_repeated("features or outputs", [*features, *outputs])
    _refuse_repeated("classes", class_names)


def check_text(what: str, text: str) -> None:
    """Raise InvalidContract for a text that is empty or holds what cannot be printed."""
    if not text.strip() or not text.isprintable():
        raise InvalidContract(f"{what} {text!r} is empty or holds control characters")


def check_keys(
    what: str, given: Mapping[str, Any], known: Sequence[str], *, all_of_them: bool = False
) -> None:
    """Raise InvalidContract for keys that the contract does not have, or for those it lacks."""
    unknown = set(given) - set(known)
    lacking = set(known) - set(given) if all_of_them else set()
    if unknown or lacking:
        raise InvalidContract(
            f"{what} has {', '.join(sorted(given)) or 'nothing'}; expected {', '.join(known)}"
        )


def plain(values: Any) -> Any:
    """Return numbers as JSON has them: float32 by its shortest text, NaN as None."""
    if isinstance(values, dict):
        return {key: plain(value) for key, value in values.items()}
    if isinstance(values, list | tuple | np.ndarray | pd.Series):
        return [plain(value) for value in values]
    if isinstance(values, np.floating | float):
        return None if np.isnan(values) else float(str(values))
    return values.item() if isinstance(values, np.generic) else values


def libraries() -> dict[str, str]:
    """Return the versions of Python and of what decides how a file comes out."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def default_version(model: onnx.ModelProto, trained_at: str) -> str:
    """Return the date of training and the first eight digits of the graph's sha256."""
    graph = model.graph.SerializeToString(deterministic=True)
    return f"{trained_at[:10].replace('-', '.')}-{hashlib.sha256(graph).hexdigest()[:8]}"


def write_metadata(model: onnx.ModelProto, contract: dict[str, Any]) -> bytes:
    """Return the file: the graph with the contract in its metadata, the same bytes every time.

    The last entry, of TAIL_BYTES bytes, holds the sha256 of all bytes before it. Fields of protobuf
    may be concatenated, so a model of that entry alone, set behind the rest, is read as part of it.
    """
    del model.metadata_props[:]
    for key in sorted(contract):
        text = json.dumps(contract[key], sort_keys=True, ensure_ascii=False, allow_nan=False)
        model.metadata_props.add(key=key, value=text)
    content = bytes(model.SerializeToString(deterministic=True))
    last = onnx.ModelProto()
    last.metadata_props.add(
        key="file_sha256", value=json.dumps(hashlib.sha256(content).hexdigest())
    )
    return content + bytes(last.SerializeToString())


def describe_target(target: Mapping[str, str] | str | None) -> dict[str, str]:
    """Return the contract's `target`."""
    given = {"name": target} if isinstance(target, str) else dict(target or {})
    check_keys("the target", given, ("name", "unit", "meaning"))
    return {"name": "target", "unit": "", "meaning": ""} | given


def write_file(path: Path, content: bytes) -> None:
    """Write the file beside its place and move it there, so that it is whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _refuse_repeated(what: str, names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            raise InvalidContract(
                f"two {what} are called {seen[name.lower()]!r} and {name!r}, "
                "and SQL does not tell upper from lower case: rename one"
            )
        seen[name.lower()] = name
