"""Ask servers politely: named, patient, and waiting as long as they say."""

from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

# Seconds to wait for a connection, and between two bytes of an answer: a query may take minutes.
TIMEOUT_S = (10, 600)
_CHUNK_BYTES = 1 << 20
# Answers that may be another the next time. Waits 0, 2, 4, 8, 16 s, or as Retry-After says.
RETRY = Retry(
    total=5, backoff_factor=1, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False
)


def polite_session(retry: Retry = RETRY) -> requests.Session:
    """Return a session that says who asks, and asks again with growing pauses."""
    session = requests.Session()
    session.headers["User-Agent"] = "sextant-research (python-requests)"
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def fetch(url: str, target: Path) -> None:
    """Write what a URL answers into a file.

    Raises
    ------
    OSError
        When it does not answer, answers an error, or stops before the end.
    """
    with polite_session() as session, session.get(url, stream=True, timeout=TIMEOUT_S) as answer:
        answer.raise_for_status()
        with target.open("wb") as file:
            for chunk in answer.iter_content(_CHUNK_BYTES):
                file.write(chunk)
