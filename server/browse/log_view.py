"""What the page of the log shows, put together from what was asked."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from server.browse.addresses import Address
from server.browse.aggregates import summarize
from server.browse.asked import Asked
from server.browse.browsing import Page, read_page
from server.browse.drawing import to_series
from server.browse.log_columns import default_columns, title_of, to_columns
from server.browse.log_form import to_chips, to_form
from server.browse.pictures import Painter, default_plane, numeric_fields
from server.browse.selection import Selection
from server.browse.terms import verbatim
from server.contract import Contract
from server.pages.place_words import share_of
from server.storage.snapshots import Snapshot

# How often a followed page looks for new rows, in seconds.
_FOLLOW_EVERY_S = 2


def to_faulty_view(
    snapshot: Snapshot, contract: Contract, address: Address, fault: str, name: str = ""
) -> dict[str, Any]:
    """Return the variables of a page that says what was wrong, and holds the form to mend it."""
    return {
        "contract": contract,
        "address": address,
        "form": to_form(snapshot.sources, contract, address),
        "chips": to_chips(address),
        "fault": fault,
        "faulty_name": name,
        "asked": None,
    }


def to_view(
    snapshot: Snapshot, contract: Contract, address: Address, asked: Asked, began: float
) -> dict[str, Any]:
    """Return the variables of the template.

    Raises
    ------
    UnknownCursor
        If the page is to begin at a prediction that is not stored.
    """
    selection = Selection(snapshot.sources, asked.filter)
    summary = summarize(snapshot.cursor, selection)
    series = to_series(summary.by_label, contract.class_names)
    painter = Painter(snapshot.cursor, selection, summary, series, address)
    view = {
        **to_faulty_view(snapshot, contract, address, ""),
        "asked": asked,
        "verbatim": verbatim,
        "share_of": share_of,
        "exports": _exports(address),
        "summary": summary,
        "series": series,
        "over_time": painter.over_time(),
    }
    if asked.view == "table":
        view |= _table(snapshot, contract, selection, address, asked)
    else:
        view |= _pictures(painter, contract, asked)
    # Counted to here: what is left is to write the page.
    return view | {"seconds": time.perf_counter() - began, "follow_every": _FOLLOW_EVERY_S}


def _table(
    snapshot: Snapshot, contract: Contract, selection: Selection, address: Address, asked: Asked
) -> dict[str, Any]:
    page = read_page(snapshot.cursor, selection, asked.order, asked.edge, asked.limit)
    columns = to_columns(snapshot.sources)
    chosen = [key for key in asked.columns if key in columns]
    own = [feature.name for feature in contract.features]
    shown = chosen or _met(default_columns(columns, own), page.rows)
    return {
        "rows": page.rows,
        "columns": [columns[key] for key in shown],
        "all_columns": columns,
        "back": _back(address, asked, page),
        "on": _on(address, asked, page),
    }


def _met(keys: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Leave out the inputs of other contracts that no row here has."""
    met = {f"in.{name}" for row in rows for name in row["inputs"]}
    return [key for key in keys if not key.startswith("in.") or key in met or not rows]


def _back(address: Address, asked: Asked, page: Page) -> str | None:
    is_back = asked.edge is not None and asked.edge.is_upper != asked.order.is_descending
    if asked.edge is None or not page.rows or (is_back and not page.has_more):
        return None
    name = "after" if asked.order.is_descending else "before"
    return address.changed({name: str(page.ids[0])})


def _on(address: Address, asked: Asked, page: Page) -> str | None:
    is_back = asked.edge is not None and asked.edge.is_upper != asked.order.is_descending
    if not page.rows or not (is_back or page.has_more):
        return None
    name = "before" if asked.order.is_descending else "after"
    return address.changed({name: str(page.ids[-1])})


def _pictures(painter: Painter, contract: Contract, asked: Asked) -> dict[str, Any]:
    sources = painter.selection.sources
    fields = asked.plane or default_plane(contract, sources)
    known = {name for source in sources for name in source.fields}
    return {
        "plane": painter.plane(fields) if fields else None,
        "plane_fields": fields or ("", ""),
        "numeric_fields": numeric_fields(sources),
        "titles": {name: title_of(name) for name in known},
        "scores": painter.scores("p") if "p" in known else None,
        "values": painter.scores("value") if "value" in known else None,
    }


def _exports(address: Address) -> dict[str, str]:
    """Return where all that fits is found as a file, by the name of its form."""
    shown = ("sort", "col", "view", "x", "y", "limit", "follow", "format")
    dropped: dict[str, None] = dict.fromkeys(shown)
    forms = {
        title: address.changed(dropped, path=f"{address.path}.{form}")
        for form, title in (("csv", "CSV"), ("ndjson", "NDJSON"), ("parquet", "Parquet"))
    }
    page = address.changed({"format": "json", **dict.fromkeys(("view", "x", "y", "col", "follow"))})
    return {**forms, "JSON": page}
