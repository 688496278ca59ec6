"""Train the survey model: load, check, score, split, fit, save.

Run it as ``python -m research.train --data table.csv --out artifacts``.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from skops import io as skops_io

from research.data import (
    CLASSES,
    FEATURES,
    TARGET,
    InvalidTable,
    checked,
    save_checks,
    split_columns,
)
from research.evaluate import (
    FOLDS,
    Fold,
    Score,
    fold_scores,
    group_folds,
    holdout_scores,
    stratified_folds,
    summarise,
)
from research.pipeline import MODES, SEED, build_pipeline
from research.provenance import git_commit, timestamp
from research.simulate import WARNING

REPEATS = 10
HOLDOUT_SHARE = 0.2
HEADLINES = ("macro_f1", "log_loss")
DESCRIPTION = (
    "Tells stars, galaxies and quasars of the Sloan Digital Sky Survey apart by their magnitudes, "
    "and by their redshift where it is known."
)
TARGET_MEANING = "class of the object, from its spectrum"

console = Console()


def cross_validate(
    X: pd.DataFrame, y: pd.Series, folds: list[Fold], *, split: str, headlines: tuple[str, ...] = ()
) -> list[Score]:
    """Return the scores of both modes over the folds, showing progress."""
    evaluations = list(
        track(
            fold_scores(build_pipeline(), X, y, folds, MODES),
            description=split,
            total=len(folds),
            console=console,
        )
    )
    return [
        score
        for mode in MODES
        for score in summarise(
            [each[mode] for each in evaluations], mode=mode, split=split, headlines=headlines
        )
    ]


def split_holdout(X: pd.DataFrame, y: pd.Series) -> tuple[Any, ...]:
    """Return X_train, X_holdout, y_train, y_holdout: shuffled, for the table is in sky order."""
    return tuple(train_test_split(X, y, test_size=HOLDOUT_SHARE, stratify=y, random_state=SEED))


def score_folds(X: pd.DataFrame, y: pd.Series, plates: pd.Series) -> list[Score]:
    """Return the scores over repeated stratified folds, and over folds of whole plates."""
    times = f"{REPEATS} times {FOLDS}"
    return cross_validate(
        X,
        y,
        stratified_folds(X, y, REPEATS),
        split=f"{times} stratified folds",
        headlines=HEADLINES,
    ) + cross_validate(
        X, y, group_folds(X, y, plates, REPEATS), split=f"{times} folds of whole plates"
    )


def save(out: Path, pipeline: Pipeline, train: Any, holdout: Any, about: dict[str, Any]) -> None:
    """Write pipeline, rows, metrics and features into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    skops_io.dump(pipeline, out / "pipeline.skops")
    for name, (X, y) in {"train": train, "holdout": holdout}.items():
        X.assign(**{TARGET: y}).reset_index(drop=True).to_parquet(out / f"{name}.parquet")
    features = {name: feature._asdict() for name, feature in FEATURES.items()}
    for name, content in {"metrics": about, "features": features}.items():
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (out / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def tell(scores: list[Score]) -> None:
    """Print the scores as a table."""
    table = Table("score", "mode", "split", "mean", "sd")
    for score in scores:
        table.add_row(
            score["name"],
            score["mode"],
            score["split"],
            f"{score['mean']:.4f}",
            f"{score['sd']:.4f}",
            style="bold" if score["headline"] else "",
        )
    console.print(table)


def train(data: str | Path, out: Path, query: str | None = None) -> None:
    """Read the table, score the pipeline over folds, fit it on the training rows and save."""
    with checked(data, query) as table:
        summary = table.summary
        X, y, plates = split_columns(table.survey())
        save_checks(table, out, "data")
    counts = ", ".join(f"{int((y == name).sum())} {name}" for name in CLASSES)
    console.print(f"Kept {len(X)} of {summary['rows_read']} rows of {summary['source']}: {counts}")
    console.print(f"{out}/data.summary.json and data.rejects.csv say why", soft_wrap=True)
    synthetic = summary["kept_synthetic"] > 0
    console.print(WARNING * synthetic, style="bold")
    scores = score_folds(X, y, plates)
    X_train, X_holdout, y_train, y_holdout = split_holdout(X, y)
    pipeline = build_pipeline().fit(X_train, y_train)
    for mode, change in MODES.items():
        scores += holdout_scores(pipeline, change(X_holdout), y_holdout, mode=mode)
    tell(scores)

    about = {
        "name": "synthetic" if synthetic else "sdss",
        "description": WARNING * synthetic + DESCRIPTION,
        "target": {"name": TARGET, "unit": "", "meaning": TARGET_MEANING},
        "trained_at": timestamp(),
        "data_sha256": summary["sha256"],
        "data_rows": len(X),
        "git_commit": git_commit(),
        "metrics": scores,
    }
    save(out, pipeline, (X_train, y_train), (X_holdout, y_holdout), about)
    console.print(f"Fitted on {len(X_train)} rows, held out {len(X_holdout)}; wrote {out}/")


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="the survey table: a file, a URL, a database")
    parser.add_argument("--query", help="SQL to ask where --data is the URL of a database")
    parser.add_argument("--out", type=Path, default=Path("artifacts"), help="folder to write to")
    options = parser.parse_args()
    try:
        train(options.data, options.out, options.query)
    except (InvalidTable, OSError) as error:
        raise SystemExit(f"research.train: {error}") from None


if __name__ == "__main__":
    main()
