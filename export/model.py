"""Export a fitted pipeline: convert, verify, write, in that order."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # publishes none

from export import evaluation
from export.checks import check_columns, check_fitted, check_folder, one_target
from export.columns import column_types
from export.conformal import ALPHA
from export.contract import (
    CONTRACT_VERSION,
    PROVENANCE,
    SCORE,
    check_keys,
    check_names,
    check_text,
    default_version,
    describe_target,
    libraries,
    plain,
    write_file,
    write_metadata,
)
from export.convert import convert
from export.extend import NO_TRAINING_ROWS, extend, leave_as_it_is
from export.features import check_descriptions, describe_features, nullable_features
from export.golden import golden_rows
from export.outputs import class_names, describe_added, describe_outputs, details_of
from export.thresholds import threshold_rows
from export.verify import PROBABILITY_TOLERANCE, VALUE_TOLERANCE, Parity, kinds_of_rows, verify
from export.verify_extended import verify_extended
from research.evaluate import holdout_scores
from research.provenance import timestamp

NOT_ASKED = "it was exported without"
_HEADLINES = ("macro_f1", "log_loss", "rmse", "mae")


def export_model(
    pipeline: Any,
    X_holdout: pd.DataFrame,
    y_holdout: Any,
    path: str | Path,
    *,
    name: str,
    version: str | None = None,
    description: str = "",
    target: Mapping[str, str] | str | None = None,
    features: Mapping[str, Mapping[str, Any]] | None = None,
    X_train: pd.DataFrame | None = None,
    y_train: Any = None,
    alpha: float = ALPHA,
    explain: bool = True,
    metrics: list[Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Parity:
    """Write a fitted pipeline as one ONNX file that answers alike and says what it is.

    Parameters
    ----------
    pipeline : fitted classifier or regressor of scikit-learn
    X_holdout : DataFrame of shape (n_samples, n_features)
        Rows that the pipeline was not fitted on; their column types become the features' types.
    y_holdout : array-like of shape (n_samples,)
    path : str or Path
        The file to write. It is replaced only once the new one is complete.
    name : str
        Of the model.
    version : str, optional
        Of the model; otherwise the date of training and the first digits of the graph's sha256.
    description : str
        One sentence for a person.
    target : str or mapping, optional
        Name of the predicted column, or its "name", "unit" and "meaning".
    features : mapping of feature name to mapping, optional
        "unit", "meaning", "nullable" and "domain" of features.
    X_train : DataFrame, optional
        Where ranges and categories are taken from; otherwise the holdout. Contributions, novelty
        and reference need them: without, the graph has none.
    y_train : array-like of shape (n_samples,), optional
        Of the training rows; prediction sets or intervals are calibrated on them, by clones of the
        pipeline fitted on folds.
    alpha : float
        The share of rows whose truth prediction sets or intervals may miss.
    explain : bool
        Whether to add what can be said beside the answer.
    metrics : list of scores, optional
        Otherwise scores on the holdout, with their spread over bootstrap samples.
    provenance : mapping, optional
        "trained_at", "data_sha256", "data_rows", "git_commit".

    Returns
    -------
    Parity

    Raises
    ------
    NotExportable
        When the pipeline is not fitted, or a step or a column has no equal in ONNX.
    InvalidContract
        When names collide or a description does not fit the model.
    ParityError
        When the graph does not answer as the pipeline does.
    ExportError
        When there is no folder to write to.
    """
    pipeline = getattr(pipeline, "best_estimator_", pipeline)
    check_fitted(pipeline)
    check_folder(Path(path))
    types = column_types(X_holdout)
    y_holdout = one_target(y_holdout, len(X_holdout))
    classes = class_names(pipeline)
    details = details_of(pipeline)
    outputs = describe_outputs(classes, details)
    about = features or {}
    check_columns(pipeline, types)
    check_text("the model's name", name)
    check_names(list(types), [output["name"] for output in outputs], classes)
    check_descriptions(about, types)
    check_keys("provenance", provenance or {}, PROVENANCE)
    for score in metrics or []:
        check_keys("a score", score, SCORE, all_of_them=True)
    seen = X_holdout if X_train is None else X_train
    nullable = nullable_features(pipeline, X_holdout, seen, about, types)
    tolerance = PROBABILITY_TOLERANCE if classes else VALUE_TOLERANCE * float(y_holdout.std())

    model = convert(pipeline, types, classes, {each.name: each.type for each in details})
    described = describe_features(model, pipeline, X_holdout, X_train, about, types, nullable)
    extended = leave_as_it_is(model, NOT_ASKED if X_train is not None else NO_TRAINING_ROWS)
    if explain and X_train is not None:
        extended = extend(
            model,
            pipeline,
            (X_holdout, y_holdout),
            X_train,
            y_train,
            types=types,
            classes=classes,
            features=described,
            alpha=alpha,
        )
    model = extended.model
    outputs += describe_added(extended.outputs)
    check_names(list(types), [output["name"] for output in outputs], classes)
    around = threshold_rows(model, X_holdout, types)
    parity = verify(
        model, pipeline, X_holdout, types, around=around, nullable=nullable, tolerance=tolerance
    )
    kinds = kinds_of_rows(X_holdout, around.X, nullable)
    with threadpool_limits(1):  # many small runs, sooner done without waking threads for each
        beside = verify_extended(extended, pipeline, kinds, types, tolerance)
    if beside:
        parity = replace(parity, **beside._asdict())

    origin = dict.fromkeys(PROVENANCE) | {"trained_at": timestamp()}
    origin |= {key: value for key, value in (provenance or {}).items() if value is not None}
    contract = {
        "contract_version": CONTRACT_VERSION,
        "model_name": name,
        "model_version": version or default_version(model, str(origin["trained_at"])),
        "description": description,
        "kind": {0: "regression", 2: "binary"}.get(len(classes), "multiclass"),
        "target": describe_target(target),
        "class_names": classes,
        "features": described,
        "outputs": outputs,
        "metrics": metrics or holdout_scores(pipeline, X_holdout, y_holdout, headlines=_HEADLINES),
        "parity": asdict(parity),
        "evaluation": evaluation.describe(
            model,
            pipeline,
            (X_holdout, y_holdout),
            extended.scorers if extended.background is not None else [],
            types=types,
            classes=classes,
        ),
        "golden": golden_rows(pipeline, X_holdout, y_holdout, nullable, tolerance),
        **extended.keys,
        **origin,
        "libraries": libraries(),
    }
    write_file(Path(path), write_metadata(model, plain(contract)))
    return parity
