"""What an address of the log asks for: a filter, an order, a page, columns and pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.browse.browsing import Edge, Order
from server.browse.filters import Filter, InvalidQuery, read_filter
from server.browse.pictures import numeric_fields
from server.storage.fields import Source

PAGE_ROWS = 50
_MAX_PAGE_ROWS = 500
_VIEWS = ("table", "pictures")


@dataclass(frozen=True)
class Asked:
    """The checked parameters of one address."""

    filter: Filter
    order: Order
    edge: Edge | None
    limit: int
    view: str
    columns: Sequence[str]
    plane: tuple[str, str] | None
    is_followed: bool


def read_asked(
    given: Mapping[str, Sequence[str]], sources: Sequence[Source], now: datetime
) -> Asked:
    """Check every parameter of an address that means something here.

    Raises
    ------
    InvalidQuery
        If one cannot be used; it says which, and what it should be.
    """
    filled = {name: [text for text in each if text] for name, each in given.items()}
    texts = {name: each[0] for name, each in filled.items() if each}
    return Asked(
        filter=read_filter(given, sources, now),
        order=_order(texts.get("sort", ""), sources),
        edge=_edge(texts),
        limit=_limit(texts.get("limit", str(PAGE_ROWS))),
        view=_one_of("view", texts.get("view", _VIEWS[0]), _VIEWS),
        columns=filled.get("col", []),
        plane=_plane(texts, sources),
        is_followed=_one_of("follow", texts.get("follow", "0"), ("0", "1")) == "1",
    )


def _order(text: str, sources: Sequence[Source]) -> Order:
    if not text:
        return Order()
    name = text.removeprefix("-")
    if not any(name in source.fields for source in sources):
        raise InvalidQuery("sort", text, "nothing that is stored here bears that name")
    return Order(name, text.startswith("-"))


def _edge(texts: Mapping[str, str]) -> Edge | None:
    before, after = texts.get("before"), texts.get("after")
    if before is not None and after is not None:
        raise InvalidQuery("after", after, "give either before or after")
    for name, text in (("before", before), ("after", after)):
        if text is not None:
            try:
                return Edge(UUID(text), is_upper=name == "before")
            except ValueError:
                raise InvalidQuery(name, text, "give the prediction_id to go on from") from None
    return None


def _limit(text: str) -> int:
    is_short_number = text.isascii() and text.isdigit() and len(text) <= 3
    if not (is_short_number and 1 <= int(text) <= _MAX_PAGE_ROWS):
        raise InvalidQuery("limit", text, f"give a whole number from 1 to {_MAX_PAGE_ROWS}")
    return int(text)


def _one_of(name: str, text: str, choices: Sequence[str]) -> str:
    if text not in choices:
        raise InvalidQuery(name, text, f"there is {' and '.join(choices)}")
    return text


def _plane(texts: Mapping[str, str], sources: Sequence[Source]) -> tuple[str, str] | None:
    fields = texts.get("x", ""), texts.get("y", "")
    if not any(fields):
        return None
    known = numeric_fields(sources)
    for name, field in zip("xy", fields, strict=True):
        if field not in known:
            raise InvalidQuery(name, field, "give x and y, each the name of a number, as in.u")
    return fields
