"""Serve what SEXTANT_MODEL names: one model file, or those that a serving file names."""

from dataclasses import replace

from flask import Flask

from server.config import Settings
from server.contract import InvalidModel
from server.lineup import Lineup
from server.model import Model
from server.prediction_log import PredictionLog
from server.served import Served, to_served
from server.versions.serving_file import (
    Serving,
    is_serving_file,
    path_of,
    read_serving,
    write_serving,
)
from server.versions.switching import Loaded, Switching, load
from server.web import Parts


def load_served(settings: Settings) -> Loaded:
    """Load the models that are to be served from the start.

    Raises
    ------
    InvalidModel
        If one of them is not what it should be.
    """
    path = settings.model
    if not is_serving_file(path):
        model = Model(path, settings.model_sha256)
        named = f"{model.contract.model_name}/{model.contract.model_version}"
        return Loaded(Serving(named), model, None)
    _check_no_sha256(settings)
    return load(path, read_serving(path))


def load_champion(settings: Settings) -> Model:
    """Load the model that answers, or of several the champion; raises as `load_served` does."""
    if not is_serving_file(settings.model):
        return Model(settings.model, settings.model_sha256)
    _check_no_sha256(settings)
    return Model(path_of(settings.model, read_serving(settings.model).champion))


def _check_no_sha256(settings: Settings) -> None:
    if settings.model_sha256:
        raise InvalidModel(
            f"SEXTANT_MODEL_SHA256 is of one model file, and {settings.model} names several: "
            "leave it out"
        )


def to_lineup(loaded: Loaded, log: PredictionLog, settings: Settings) -> Lineup:
    """Return what answers, once the log has its tables; LogUnavailable if it cannot have them."""
    challenger = loaded.challenger and _to_served(loaded.challenger, log, settings)
    return Lineup(
        _to_served(loaded.champion, log, settings),
        challenger or None,
        loaded.serving.share,
        loaded.serving.shadow,
    )


def _to_served(model: Model, log: PredictionLog, settings: Settings) -> Served:
    return to_served(model, log.add(model.contract, model.sha256), settings)


def to_switching(app: Flask, settings: Settings, loaded: Loaded) -> Switching | None:
    """Return what changes who answers in `app`; None where it serves one file for good."""
    if not is_serving_file(settings.model):
        return None

    def serve(wanted: Loaded) -> None:
        parts: Parts = app.extensions["sextant"]
        lineup = to_lineup(wanted, parts.log, settings)
        write_serving(settings.model, wanted.serving)
        parts.seeing.serve(lineup.champion)
        # One reference: a request that has taken it goes to its end with what it took.
        app.extensions["sextant"] = replace(parts, lineup=lineup)

    return Switching(settings.model, loaded.serving, loaded.models, serve)
