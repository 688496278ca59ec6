"""Find which hours are to be removed, by age and by size."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import duckdb

from server.commands.export import closed_until
from server.config import InvalidSettings, Settings
from server.keeping.logs import Log, stored_tables
from server.keeping.space import Space, space_of

# What SEXTANT_EXPORT_DIR says in so many words, where hours may go for good.
WITHOUT_EXPORT = "without export"
_HOURS = """
SELECT date_trunc('hour', predicted_at) AS hour, count(*) AS predictions
FROM predictions WHERE predicted_at < $closed GROUP BY hour ORDER BY hour
"""


@dataclass(frozen=True)
class Rules:
    """What is kept: 0 days, or 0 bytes, say nothing; without a folder nothing is exported."""

    days: float
    bytes: int
    export_dir: Path | None
    commit_timeout_s: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what the settings say."""
        is_told_without = str(settings.export_dir) == WITHOUT_EXPORT
        return cls(
            days=settings.keep_days,
            bytes=settings.keep_bytes,
            export_dir=None if is_told_without else settings.export_dir,
            commit_timeout_s=settings.commit_timeout_s,
        )

    @property
    def says_nothing(self) -> bool:
        """Whether everything is kept."""
        return not (self.days or self.bytes)


def rules_of(
    settings: Settings, days: float | None, n_bytes: int | None, without_export: bool
) -> Rules:
    """Return what the settings say, but for what is given here.

    Raises
    ------
    InvalidSettings
        If that is nothing.
    """
    given = {"keep_days": days, "keep_bytes": n_bytes}
    known = {name: value for name, value in given.items() if value is not None}
    rules = Rules.of(replace(settings, **known))  # type: ignore[arg-type]  # each of its own type
    if rules.says_nothing:
        raise InvalidSettings(
            "say how much to keep: set SEXTANT_KEEP_DAYS or SEXTANT_KEEP_BYTES, or give days or "
            "bytes with the command"
        )
    return replace(rules, export_dir=None) if without_export else rules


def find_due(log: Log, rules: Rules) -> tuple[datetime, int]:
    """Return the time before which all is to be removed, and how many predictions that are."""
    now = datetime.now(UTC).replace(tzinfo=None)
    closed = closed_until(now, rules.commit_timeout_s)
    with log.cursor() as cursor:
        hours = cursor.execute(_HOURS, {"closed": closed}).fetchall()
        until = datetime.min
        if rules.days:
            old = now - timedelta(days=rules.days)
            until = min(closed, old.replace(minute=0, second=0, microsecond=0))
        if rules.bytes:
            excess = _rows_beyond(cursor, space_of(cursor, log.path), rules.bytes)
            until = max(until, _end_of(hours, excess))
    return until, sum(rows for hour, rows in hours if hour < until)


def _rows_beyond(cursor: duckdb.DuckDBPyConnection, space: Space, n_bytes: int) -> int:
    """Return about how many rows stand in what the log takes beyond `n_bytes`."""
    live, kept = 0, 0
    for table in stored_tables(cursor):
        # The second counts rows that are removed but whose blocks a reader still holds.
        ((rows, held),) = cursor.execute(
            f"SELECT (SELECT count(*) FROM {table}), estimated_size FROM duckdb_tables() "  # noqa: S608  # names of ours
            "WHERE table_name = ? AND database_name = current_database()",
            [table],
        ).fetchall()
        live, kept = live + rows, kept + max(rows, held)
    excess = space.used_bytes * live / max(kept, 1) - n_bytes
    return 0 if excess <= 0 else int(excess * kept / space.used_bytes) + 1


def _end_of(hours: list[tuple[datetime, int]], rows: int) -> datetime:
    """Return the end of the oldest hours that together have `rows`, or of all."""
    end = datetime.min
    for hour, count in hours:
        if rows <= 0:
            break
        end, rows = hour + timedelta(hours=1), rows - count
    return end
