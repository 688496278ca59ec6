"""Export a saved pipeline.

Run it as ``python -m export pipeline.skops holdout.parquet --target class -o mine.onnx``.
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from export.conformal import ALPHA
from export.contract import PROVENANCE
from export.errors import ExportError
from export.load import load_pipeline
from export.model import export_model


def main() -> None:
    """Parse the command line, export, and tell what was written."""
    options = _parse()
    try:
        _export(options)
    except (ExportError, OSError) as error:
        raise SystemExit(f"export: {error}") from None


def _export(options: argparse.Namespace) -> None:
    pipeline = load_pipeline(options.pipeline, options.trust)
    X_holdout, y_holdout = _features_and_target(options.holdout, options.target)
    X_train, y_train = (
        _features_and_target(options.train, options.target) if options.train else (None, None)
    )
    about = _json(options.metrics)
    parity = export_model(
        pipeline,
        X_holdout,
        y_holdout,
        options.output,
        name=options.name or about.get("name") or options.output.stem,
        version=options.version,
        description=about.get("description", ""),
        target=about.get("target", options.target),
        features=_json(options.features),
        X_train=X_train,
        y_train=y_train,
        alpha=options.alpha,
        explain=not options.plain,
        metrics=about.get("metrics"),
        provenance={key: about[key] for key in PROVENANCE if key in about},
    )
    written = options.output.read_bytes()
    print(f"{options.output}  {len(written):,} bytes  sha256 {hashlib.sha256(written).hexdigest()}")
    print(
        f"parity: largest difference {parity.max_difference:.2g} ({parity.tolerance:.2g} allowed) "
        f"on {parity.holdout_rows} rows of the holdout and {parity.threshold_rows} around "
        f"{parity.thresholds_met} of {parity.thresholds} thresholds; "
        f"{parity.label_differences} labels differ, {parity.ties} ties"
    )
    if parity.explanation_difference is not None:
        print(
            f"contributions: largest difference {parity.explanation_difference:.2g} "
            f"({parity.explanation_tolerance:.2g} allowed) on {parity.explanation_rows} rows"
        )


def _features_and_target(path: Path, target: str) -> tuple[pd.DataFrame, pd.Series]:
    try:
        table = pd.read_parquet(path)
    except ValueError as error:
        raise ExportError(f"{path} is no parquet file: {error}") from error
    if target not in table:
        raise ExportError(f"{path} has no column {target!r}; it has {', '.join(table.columns)}")
    return table.drop(columns=target), table[target]


def _json(path: Path | None) -> dict[str, Any]:
    if not path:
        return {}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ExportError(f"{path} is no JSON file: {error}") from error
    if not isinstance(read, dict):
        raise ExportError(f"{path} holds a {type(read).__name__}; expected a JSON object")
    return read


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    parser.add_argument("pipeline", type=Path, help="the fitted pipeline, a skops file")
    parser.add_argument("holdout", type=Path, help="rows it was not fitted on, a parquet file")
    parser.add_argument("--target", required=True, help="the column that it predicts")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the file to write")
    parser.add_argument("--train", type=Path, help="its training rows: ranges, explanation")
    parser.add_argument("--alpha", type=float, default=ALPHA, help="what prediction sets may miss")
    parser.add_argument("--plain", action="store_true", help="answer only, explain nothing")
    parser.add_argument("--metrics", type=Path, help="its scores and origin, a JSON file")
    parser.add_argument("--features", type=Path, help="unit and meaning by feature, a JSON file")
    parser.add_argument("--name", help="of the model; the file's name unless given")
    parser.add_argument("--version", help="of the model; date and digest unless given")
    parser.add_argument(
        "--trust", action="append", default=[], metavar="TYPE", help="a type in the skops file"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
