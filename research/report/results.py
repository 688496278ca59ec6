"""Read and write the measured results that the notebooks draw and the prose quotes."""

import json
import math
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results.json"
LIBRARIES = ("scikit-learn", "numpy", "pandas", "scipy", "astropy")
# Digits kept of a measured number: more than any sentence quotes.
DIGITS = 6
PLAIN_LIST = re.compile(r"\[[^][{}]*\]")


def load(path: Path = RESULTS) -> dict[str, Any]:
    """Return the results, or an error that says how to make them."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: make experiments DATA=table.csv writes it")
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def save(results: dict[str, Any], path: Path = RESULTS) -> None:
    """Write the results, rounded, a list of numbers on one line."""
    text = json.dumps(rounded(results), ensure_ascii=False, allow_nan=False, indent=1)
    text = PLAIN_LIST.sub(lambda found: " ".join(found[0].split()), text)
    part = path.with_suffix(".part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)


def rounded(value: Any) -> Any:
    """Return the value with its floats at DIGITS decimals, what is no number as None."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each) for each in value]
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value


def versions() -> dict[str, str]:
    """Return the versions that the numbers may depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def look_up(results: dict[str, Any], path: str) -> Any:
    """Return the value at a path such as ``models/pairwise/with_redshift/random/macro_f1/mean``."""
    found: Any = results
    for key in path.split("/"):
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found
