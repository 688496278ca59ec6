"""Build the app: load the model, open the log, wire the routes."""

from threading import Event

from flask import Flask

from server import errors, web
from server import routes as _predict  # noqa: F401  # on the blueprint of server.web
from server.access import checks
from server.access.gate import Gate
from server.browse import log_pages
from server.config import Settings
from server.keeping import routes as keeping_routes
from server.kept_answers import KeptAnswers
from server.labels import routes as labels
from server.limits.load import Load
from server.monitor import routes as monitor_routes
from server.openapi import routes as openapi_routes
from server.pages import home as pages
from server.pages import shown as _shown  # noqa: F401  # on the same
from server.prediction_log import PredictionLog
from server.seeing import routes as seeing_routes
from server.seeing.seeing import Seeing
from server.sql import routes as sql_routes
from server.storage.database import query_folder
from server.tables.answering import TableWriter
from server.v2 import routes as v2_routes
from server.versions import routes as models_routes
from server.versions.serving import load_served, to_lineup, to_switching


def create_app(settings: Settings, is_stopping: Event | None = None) -> Flask:
    """Return an app that is ready to answer; whoever calls closes its log.

    Parameters
    ----------
    settings : Settings
    is_stopping : threading.Event, optional
        Set once the server begins to stop, so that it is no longer ready.

    Raises
    ------
    server.config.InvalidSettings
        If a setting of access is wrong, or the server would be open although nobody said so.
    server.contract.InvalidModel
        If the model file is not one this server can serve.
    server.storage.database.LogUnusable
        If the database cannot be opened.
    """
    gate = Gate(settings)
    loaded = load_served(settings)
    model = loaded.champion
    log = PredictionLog(
        settings.database,
        model.contract,
        sha256=model.sha256,
        max_waiting_rows=settings.max_waiting_rows,
        commit_timeout_s=settings.commit_timeout_s,
    )
    is_stopping = is_stopping or Event()
    load = Load(settings)
    folder = query_folder(settings.database)
    lineup = to_lineup(loaded, log, settings)
    seeing = Seeing(settings, lineup.champion, log, is_stopping, load)
    app = Flask("server")
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_INSTANCES"] = settings.max_instances
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions["sextant"] = web.Parts(
        lineup=lineup,
        tables=TableWriter(log, folder),
        log=log,
        kept=KeptAnswers(log, hours=settings.idempotency_hours, wait_s=settings.commit_timeout_s),
        is_stopping=is_stopping,
        seeing=seeing,
        load=load,
    )
    seeing_routes.register(app, seeing)
    app.register_blueprint(web.blueprint)
    checks.register(app, gate)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(v2_routes.blueprint)
    app.register_blueprint(labels.blueprint)
    log_pages.register(app)
    monitor_routes.register(app, settings)
    sql_routes.register(app, settings, log)
    keeping_routes.register(app, settings, log)
    models_routes.register(app, to_switching(app, settings, loaded))
    openapi_routes.register(app, lineup.models, settings, gate.without_key)
    errors.register(app)
    return app
