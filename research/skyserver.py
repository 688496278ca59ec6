"""Ask the survey's public SQL service, SkyServer, and believe only whole answers.

References
----------
https://skyserver.sdss.org, help on query limits: 60 queries a minute, 500,000 rows and ten minutes
a query.
"""

from typing import Any

import pandas as pd
import requests
from urllib3.exceptions import MaxRetryError
from urllib3.util import Retry

from research.schema import DOMAIN
from research.web import TIMEOUT_S

URL = "https://skyserver.sdss.org/dr{release}/SkyServerWS/SearchTools/SqlSearch"
# Identifiers as text: as numbers, some formats of the service lose their last digits.
_SELECTED = {
    "objid": "CAST(p.objid AS varchar(20))",
    **{name: f"p.{name}" for name in ("ra", "dec", "u", "g", "r", "i", "z")},
    **{name: f"p.{name}" for name in ("run", "rerun", "camcol", "field")},
    "specobjid": "CAST(s.specobjid AS varchar(20))",
    "class": "s.class",
    "redshift": "s.z",
    **{name: f"s.{name}" for name in ("plate", "mjd", "fiberid")},
}
_IDS = {"objid": "uint64", "specobjid": "uint64"}
# The part of the sky's objects that is asked for: what the model was trained on.
_FROM = "FROM SpecObj AS s JOIN PhotoObj AS p ON s.bestobjid = p.objid WHERE " + " AND ".join(
    f"p.{band} BETWEEN 0 AND {limit}" for band, limit in DOMAIN.items()
)
SHARES = 10_000


class InvalidAnswer(RuntimeError):
    """The service did not answer, or not what was asked."""


class _CutAnswer(Exception):
    """What came is no whole answer; the next may be."""


def count_query() -> str:
    """Return the query for how many spectra there are to choose from."""
    return f"SELECT COUNT(*) AS n {_FROM}"


def page_query(*, after: int, rows: int, share: int) -> str:
    """Return the query for the spectra that follow one, in the order of their identifiers.

    That order begins with the oldest plates, which hold other kinds of objects than later ones:
    `share` of 10,000 spectra of every plate, told by a sum of plate and fibre, keep a table that
    is smaller than the survey like the survey.
    """
    columns = ", ".join(f"{column} AS {name}" for name, column in _SELECTED.items())
    thinned = f" AND (s.plate * 7919 + s.fiberid * 104729) % {SHARES} < {share}"
    return (
        f"SELECT TOP {rows} {columns} {_FROM} AND s.specobjid > {after}"
        f"{thinned if share < SHARES else ''} ORDER BY s.specobjid"
    )


def ask(session: requests.Session, url: str, query: str, retry: Retry) -> list[dict[str, Any]]:
    """Return the rows of a query, asking again with growing pauses while the answer is no answer.

    Raises
    ------
    InvalidAnswer
        When the service refuses the query, or has not answered after all retries.
    """
    while True:
        answer: requests.Response | None = None
        try:
            parameters = {"cmd": query, "format": "json"}
            answer = session.get(url, params=parameters, timeout=TIMEOUT_S)
            if not retry.is_retry("GET", answer.status_code):
                return _rows(answer)
            problem = f"status {answer.status_code}: {_told(answer)}"
        except (requests.RequestException, _CutAnswer) as error:
            problem = str(error)
        raw = None if answer is None else answer.raw
        try:
            retry = retry.increment("GET", url, response=raw, error=None if raw else OSError())
        except (MaxRetryError, OSError) as error:
            raise InvalidAnswer(f"{url} gave no whole answer, last {problem}") from error
        retry.sleep(raw)


def _rows(answer: requests.Response) -> list[dict[str, Any]]:
    """Return the rows of ``[{"TableName": "Table1", "Rows": [...]}]``."""
    if not answer.ok:
        raise InvalidAnswer(f"{answer.url} answers {answer.status_code}: {_told(answer)}")
    try:
        content = answer.json()
    except requests.JSONDecodeError as error:
        raise _CutAnswer(f"no whole JSON: {_told(answer)}") from error
    if isinstance(content, dict) and "ErrorMessage" in content:
        raise InvalidAnswer(f"{answer.url} answers: {content['ErrorMessage']}")
    try:
        return list(content[0]["Rows"]) if content else []
    except (KeyError, TypeError) as error:
        raise InvalidAnswer(f"{answer.url} answers no table: {_told(answer)}") from error


def _told(answer: requests.Response) -> str:
    return " ".join(answer.text[:200].split()) or "nothing"


def check_page(rows: list[dict[str, Any]], *, after: int, wanted: int) -> pd.DataFrame:
    """Return a page as a frame.

    Raises
    ------
    InvalidAnswer
        When it has other columns than were asked for, too many rows, or rows out of order.
    """
    names = list(_SELECTED)
    if strange := [sorted(row) for row in rows if sorted(row) != sorted(names)]:
        raise InvalidAnswer(f"asked for columns {', '.join(names)}, got {', '.join(strange[0])}")
    if len(rows) > wanted:
        raise InvalidAnswer(f"asked for {wanted} rows, got {len(rows)}")
    try:
        page = pd.DataFrame(rows, columns=names).astype(_IDS)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidAnswer(f"an identifier is no whole number: {error}") from error
    ids = page["specobjid"]
    if not (ids.is_monotonic_increasing and ids.is_unique and (ids > after).all()):
        raise InvalidAnswer(f"the rows after spectrum {after} are not in the order of specobjid")
    return page
