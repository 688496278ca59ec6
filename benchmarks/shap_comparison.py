"""Compare the contributions in a model file with those of the `shap` package.

Run it as ``python -m benchmarks.shap_comparison``, after ``make model``. It makes an environment of
its own in `.venv-shap`, for `shap` is needed nowhere else, and ends with an error if one
contribution or base value differs by more than 1e-5.
"""

import argparse
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
from skops import io as skops_io

TOLERANCE = 1e-5
SHAP = "shap==0.51.0"
ENVIRONMENT = Path(".venv-shap")
# What a saved pipeline needs to be loaded, as it is here.
NEEDED = ("scikit-learn", "skops", "pandas", "pyarrow", "onnxruntime", "threadpoolctl", "numpy")


def main() -> None:
    """Compare, in an environment that has `shap`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/sdss.onnx"))
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--rows", type=int, default=20, help="of the holdout, to compare on")
    options = parser.parse_args()
    try:
        import shap
    except ImportError:
        raise SystemExit(
            subprocess.call([_environment(), "-m", __spec__.name, *sys.argv[1:]])
        ) from None
    raise SystemExit(_compare(shap, options))


def _environment() -> str:
    """Return the interpreter of an environment with `shap`, made where there is none."""
    python = ENVIRONMENT / "bin" / "python"
    done = ENVIRONMENT / "installed"
    if not done.exists():
        print(f"installing {SHAP} into {ENVIRONMENT}")
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        pinned = [f"{name}=={version(name)}" for name in NEEDED]
        subprocess.run([python, "-m", "pip", "install", "--quiet", SHAP, *pinned], check=True)
        done.touch()
    return str(python)


def _compare(shap: Any, options: argparse.Namespace) -> int:
    pipeline = _load(options.artifacts / "pipeline.skops")
    rows = pd.read_parquet(options.artifacts / "holdout.parquet").drop(columns="class")
    rows = rows.sample(options.rows, random_state=0)
    train = pd.read_parquet(options.artifacts / "train.parquet").drop(columns="class")
    Z, background = pipeline[:-1].transform(rows), pipeline[:-1].transform(train)
    answers = _graph(options.model, rows)
    heads = pipeline[-1]
    worst = 0.0
    for head, estimator, prefix, width in (
        ("spectroscopic", heads.spectroscopic_, "", Z.shape[1]),
        ("photometric", heads.photometric_, "photometric_", Z.shape[1] - 1),
    ):
        masker = shap.maskers.Independent(background[:, :width], max_samples=len(background))
        explainer = shap.TreeExplainer(
            estimator, masker, feature_perturbation="interventional", model_output="raw"
        )
        expected = explainer.shap_values(Z[:, :width], check_additivity=False)
        own = answers[f"{prefix}contributions"]
        difference = np.abs(own[:, :width] - expected).max()
        base = np.abs(answers[f"{prefix}base_values"] - explainer.expected_value).max()
        print(
            f"{head}: {len(rows)} rows against {len(background)} background rows, "
            f"largest difference {difference:.2g} in a contribution, {base:.2g} in a base value"
        )
        worst = max(worst, difference, base)
    print(f"largest difference {worst:.2g}, {TOLERANCE:.0e} allowed")
    return int(not worst <= TOLERANCE)


def _load(path: Path) -> Any:
    """Return a pipeline that this project has written."""
    return skops_io.load(path, trusted=skops_io.get_untrusted_types(file=path))


def _graph(path: Path, X: pd.DataFrame) -> dict[str, Any]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options)
    feeds = {name: X[[name]].to_numpy(dtype=np.float32) for name in X}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


if __name__ == "__main__":
    main()
