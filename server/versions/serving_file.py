"""The file that says which models answer, and which did before: read, and written atomically.

Models lie beside it, as ``<name>/<version>.onnx``.
"""

import io
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from server.contract import InvalidModel
from server.keeping.archive import write_whole


@dataclass(frozen=True)
class Serving:
    """What the file says: models as ``name/version``; what was served before, to go back to."""

    champion: str
    challenger: str | None = None
    share: float = 0.0
    shadow: bool = False
    previous: Self | None = None

    def after(self, previous: Self | None) -> Self:
        """Return the same with what was served before it, of which only the last is kept."""
        return replace(self, previous=previous and replace(previous, previous=None))


def is_serving_file(path: Path) -> bool:
    """Say whether a path names such a file, and not a model."""
    return path.suffix == ".toml"


def read_serving(path: Path) -> Serving:
    """Read the file.

    Raises
    ------
    InvalidModel
        If it cannot be read, or says what is not understood.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidModel(
            f"{path}: cannot be read: {error.strerror}; python -m server models add FILE begins it"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidModel(f"{path}: is not TOML: {error}") from None
    try:
        previous = content.pop("previous", None)
        before = None if previous is None else _to_serving(previous, "previous.")
        return _to_serving(content, "").after(before)
    except InvalidModel as error:
        raise InvalidModel(f"{path}: {error}") from None


def write_serving(path: Path, serving: Serving) -> None:
    """Write the file: whoever reads it finds all of it as it was, or all of it as it is now.

    Raises
    ------
    OSError
        If it cannot be written; then it is as it was.
    """
    lines = _lines(serving)
    if serving.previous:
        lines += ["", "[previous]", *_lines(serving.previous)]
    write_whole(io.BytesIO("".join(f"{line}\n" for line in lines).encode()), path)


def path_of(serving_file: Path, reference: str) -> Path:
    """Return where a model lies.

    Raises
    ------
    InvalidModel
        If `reference` is not of the form name/version.
    """
    parts = reference.split("/")
    if len(parts) != 2 or not all(map(_is_plain, parts)):
        raise InvalidModel(f"{reference!r} names no model: say name/version, as sdss/1")
    name, version = parts
    return serving_file.parent / name / f"{version}.onnx"


def find_references(serving_file: Path) -> list[str]:
    """Return every model that lies there, as name/version."""
    found = sorted(serving_file.parent.glob("*/*.onnx"))
    return [f"{path.parent.name}/{path.stem}" for path in found]


def _is_plain(name: str) -> bool:
    is_text = name.isprintable() and name.strip() == name != ""
    return is_text and not name.startswith(".") and not {*name} & {*'"\\'}


def _to_serving(content: Mapping[str, Any], place: str) -> Serving:
    for name, value in content.items():
        if name not in _KINDS:
            raise InvalidModel(f"{place}{name} is not known: there are {', '.join(_KINDS)}")
        if type(value) not in _KINDS[name]:
            raise InvalidModel(f"{place}{name}: {value!r} is not {_KINDS[name][0].__name__}")
    if "champion" not in content:
        raise InvalidModel(f"{place}champion is missing: which model answers?")
    if content.get("challenger") is not None and "share" not in content:
        # What answers nobody may be asked for everybody.
        content = {**content, "share": 1.0 if content.get("shadow") else 0.0}
    serving = Serving(**content)
    if not 0 <= serving.share <= 1:
        raise InvalidModel(f"{place}share: {serving.share} is not between 0 and 1")
    if serving.challenger is None and (serving.share or serving.shadow):
        raise InvalidModel(f"{place}challenger is missing: whose are share and shadow?")
    if serving.challenger == serving.champion:
        raise InvalidModel(f"{place}challenger: {serving.champion} is the champion already")
    for reference in filter(None, (serving.champion, serving.challenger)):
        path_of(Path(), reference)
    return serving


def _lines(serving: Serving) -> list[str]:
    # A JSON text of printable characters is a TOML text.
    lines = [f"champion = {json.dumps(serving.champion, ensure_ascii=False)}"]
    if serving.challenger is not None:
        lines.append(f"challenger = {json.dumps(serving.challenger, ensure_ascii=False)}")
        lines.append(f"share = {float(serving.share)!r}")
        lines.append(f"shadow = {str(serving.shadow).lower()}")
    return lines


_KINDS: dict[str, tuple[type, ...]] = {
    "champion": (str,),
    "challenger": (str,),
    "share": (float, int),
    "shadow": (bool,),
}
