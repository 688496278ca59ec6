"""Load a fitted pipeline from a skops file, without running code that the file brings."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from skops import io as skops_io

from export.errors import ExportError

# skops asks about whatever is not plainly data. These hold numbers and run no code when loaded.
KNOWN_TYPES = frozenset(
    {
        "numpy.dtype",
        "research.features.Colours",
        "research.heads.TwoHeads",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)


def load_pipeline(path: Path, trusted: Iterable[str] = ()) -> Any:
    """Return the pipeline in a skops file.

    Raises
    ------
    ExportError
        When it is no skops file, or holds types that are neither known nor trusted.
    """
    allowed = KNOWN_TYPES.union(trusted)
    try:
        unknown = sorted(set(skops_io.get_untrusted_types(file=path)) - allowed)
    except (BadZipFile, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ExportError(
            f"{path} is no skops file; write it by skops.io.dump(pipeline, path): {error}"
        ) from error
    if unknown:
        flags = " ".join(f"--trust {name}" for name in unknown)
        raise ExportError(
            f"{path} holds types that could run code when loaded. "
            f"If you know where the file comes from, add {flags}"
        )
    return skops_io.load(path, trusted=sorted(allowed))
