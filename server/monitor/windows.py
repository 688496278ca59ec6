"""A window of the log, and what is counted of its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.storage.parts import literal

QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Window:
    """Which rows are looked at: of one model and version, from `since`, before `until`."""

    name: str
    version: str
    since: datetime
    until: datetime

    @property
    def where(self) -> str:
        """SQL that is true of the rows, for the stored tables and the published views alike."""
        return (
            f"predicted_at >= TIMESTAMP '{self.since}' AND predicted_at < TIMESTAMP '{self.until}' "
            f"AND model_name = {literal(self.name)} AND model_version = {literal(self.version)}"
        )


@dataclass(frozen=True)
class Totals:
    """What the rows of a window add up to; `latency_ms` are quantiles over the requests.

    `checked` rows were looked at for novelty; `missing` is by input.
    """

    rows: int
    requests: int
    latency_ms: Sequence[float | None]
    warned: int
    checked: int
    novel: int
    missing: Mapping[str, int]


@dataclass(frozen=True)
class Moment:
    """One bin of time; its quantiles are None where no request began in it."""

    number: int
    rows: int
    requests: int
    warned: int
    checked: int
    novel: int
    latency_ms: Sequence[float | None]
