"""The route of the monitor: one window of the served model, as a page or as JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest

from server.access.scopes import needs
from server.browse.addresses import Address
from server.browse.log_pages import reading_for_page
from server.browse.times import InvalidTime, to_period
from server.config import Settings
from server.monitor.as_json import to_json
from server.monitor.counting import count_others
from server.monitor.page import to_page
from server.monitor.watching import watch
from server.monitor.windows import Window
from server.web import json_response, parts, wants_html

blueprint = Blueprint("monitor", __name__)

# What is looked at unless told: as long as traffic takes to repeat itself.
_LAST = "24h"


def register(app: Flask, settings: Settings) -> None:
    """Add the route to `app`."""
    app.extensions["sextant-monitor"] = settings
    app.register_blueprint(blueprint)


@blueprint.get("/monitor")
@needs("read")
def show_monitor() -> Any:
    """Show what was asked and answered in a window, and what of it is an alarm."""
    is_page, address = wants_html(), _address()
    if is_page and not all(text for _, text in address.parameters):
        # A form sends every field; what was left empty says nothing.
        filled = Address(address.path, tuple(each for each in address.parameters if each[1]))
        return redirect(filled.changed({}))
    contract = parts().model.contract
    try:
        window = _window(request.args, contract.model_name, contract.model_version)
    except InvalidTime as error:
        told = f"{error.name}={request.args.get(error.name, '')}: {error.detail}"
        if not is_page:
            raise BadRequest(told) from None
        return _faulty(address, told, error.name), 400
    settings = cast(Settings, current_app.extensions["sextant-monitor"])
    with reading_for_page() as snapshot:
        own = parts().lineup.champion.target.table.name
        (source,) = (each for each in snapshot.sources if each.table == own)
        watched = watch(snapshot.cursor, source, window, contract, settings)
        others = count_others(snapshot.cursor, snapshot.sources, window)
        if not is_page:
            return json_response(to_json(watched, contract, others))
        view = to_page(snapshot.cursor, source, watched, contract, address)
    return render_template("monitor.html", contract=contract, others=others, fault="", **view)


def _faulty(address: Address, fault: str, name: str) -> str:
    contract = parts().model.contract
    return render_template(
        "monitor.html", contract=contract, address=address, fault=fault, faulty_name=name
    )


def _window(given: Mapping[str, str], name: str, version: str) -> Window:
    """Return the window that an address asks for: the last day, unless it says otherwise."""
    now = datetime.now(UTC).replace(tzinfo=None)
    texts = {each: given.get(each, "") for each in ("from", "to", "last")}
    if not any(texts.values()):
        texts["last"] = _LAST
    since, until = to_period(texts["from"], texts["to"], texts["last"], now)
    until = until or now
    since = since or datetime(1970, 1, 1)
    if since >= until:
        raise InvalidTime("from" if texts["from"] else "to", "the period ends before it begins")
    return Window(name, given.get("version") or version, since, until)


def _address() -> Address:
    return Address(url_for("monitor.show_monitor"), tuple(request.args.items(multi=True)))
