"""The routes of the line-up: who answers, and to change it while requests come in."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import msgspec
from flask import Blueprint, Flask, Response, current_app, render_template
from werkzeug.exceptions import BadRequest

from server.access.scopes import ANY_KEY, needs
from server.errors import problem_response
from server.versions.serving_file import Serving, find_references
from server.versions.switching import Switching, SwitchRefused
from server.web import json_response, read_body, wants_html
from server.web import parts as server_parts

blueprint = Blueprint("models", __name__)


def register(app: Flask, switching: Switching | None) -> None:
    """Add the routes to `app`; without `switching` they show the one model."""
    app.extensions["sextant-models"] = switching
    app.register_blueprint(blueprint)


class _Promotion(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /models/promote."""

    model: str | None = None


class _Challenge(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /models/challenge."""

    model: str
    share: float | None = None
    shadow: bool = False


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """The body of requests that say all in their path."""


@blueprint.get("/models")
@needs(ANY_KEY)
def show_models() -> Response | str:
    """Show who answers, what answered before, and what else could."""
    told = _told()
    if not wants_html():
        return json_response(told)
    return render_template("models.html", contract=server_parts().model.contract, told=told)


@blueprint.post("/models/promote")
@needs("admin")
def promote() -> Response:
    """Make a model the champion."""
    wanted = read_body(_Promotion)
    return _change(lambda switching: switching.promote(wanted.model))


@blueprint.post("/models/challenge")
@needs("admin")
def challenge() -> Response:
    """Give a share of the callers to a model, or have it answer in the shadow."""
    wanted = read_body(_Challenge)
    share = wanted.share
    if share is None:
        if not wanted.shadow:
            raise BadRequest("say which share of the callers it answers: share, from 0 to 1")
        share = 1.0
    return _change(
        lambda switching: switching.challenge(wanted.model, share=share, is_shadow=wanted.shadow)
    )


@blueprint.post("/models/withdraw")
@needs("admin")
def withdraw() -> Response:
    """Have the champion alone answer."""
    read_body(_Nothing)
    return _change(lambda switching: switching.withdraw())


@blueprint.post("/models/rollback")
@needs("admin")
def roll_back() -> Response:
    """Have those answer that did before the last change."""
    read_body(_Nothing)
    return _change(lambda switching: switching.roll_back())


def _change(change: Callable[[Switching], Any]) -> Response:
    switching = _switching()
    if switching is None:
        raise SwitchRefused(
            "this server serves one file for good: set SEXTANT_MODEL to a serving file, as "
            "models/serving.toml"
        )
    change(switching)
    current_app.logger.warning("now served: %s", switching.serving)
    return json_response(_told())


def _told() -> dict[str, Any]:
    # Not the parts that this request began with: it may have changed them.
    lineup = current_app.extensions["sextant"].lineup
    switching = _switching()
    challenger = lineup.challenger and {
        **lineup.challenger.model.named,
        "share": lineup.share,
        "shadow": lineup.is_shadow,
    }
    return {
        "file": switching and str(switching.path),
        "champion": lineup.champion.model.named,
        "challenger": challenger,
        "previous": switching and switching.serving.previous and _plain(switching.serving.previous),
        "models": find_references(switching.path) if switching else [],
    }


def _plain(serving: Serving) -> dict[str, Any]:
    return {
        "champion": serving.champion,
        "challenger": serving.challenger,
        "share": serving.share,
        "shadow": serving.shadow,
    }


def _switching() -> Switching | None:
    return cast(Switching | None, current_app.extensions["sextant-models"])


@blueprint.app_errorhandler(SwitchRefused)
def _refused(error: SwitchRefused) -> Response:
    return problem_response(HTTPStatus.CONFLICT, str(error))
