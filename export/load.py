"""Load a fitted pipeline from a skops file, without running code that the file brings."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skops import io as skops_io

from export.errors import ExportError

# skops asks about whatever is not plainly data. These hold numbers and run no code when loaded.
KNOWN_TYPES = frozenset(
    {
        "research.features.Colours",
        "research.heads.TwoHeads",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.LogLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn.compose._column_transformer._RemainderColsList",
    }
)


def load_pipeline(path: Path, trusted: Iterable[str] = ()) -> Any:
    """Return the pipeline in a skops file.

    Raises
    ------
    ExportError
        When the file holds types that are neither known nor trusted.
    """
    allowed = KNOWN_TYPES.union(trusted)
    unknown = sorted(set(skops_io.get_untrusted_types(file=path)) - allowed)
    if unknown:
        flags = " ".join(f"--trust {name}" for name in unknown)
        raise ExportError(
            f"{path} holds types that could run code when loaded. "
            f"If you know where the file comes from, add {flags}"
        )
    return skops_io.load(path, trusted=sorted(allowed))
