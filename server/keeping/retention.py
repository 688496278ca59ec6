"""Keep the log within an age and a size: whole closed hours are exported, and then removed."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.keeping.copying import table_names
from server.keeping.due import Rules, find_due
from server.keeping.exporting import export_due
from server.keeping.logs import Log, checkpoint, shadow_tables, stored_tables
from server.keeping.old_labels import LABELS, export_old_labels, find_old_labels, removals
from server.keeping.old_shadows import count_old_shadows, export_old_shadows
from server.keeping.space import space_of

# Rows removed in one transaction: some 10 ms, in which predictions wait.
PIECE_ROWS = 20_000
# The writer is left alone as long as a piece took, and at least this long, in seconds.
_LEAST_PAUSE_S = 0.01
# The size is estimated from the rows: how often to estimate anew in one run.
_ROUNDS = 3


@dataclass(frozen=True)
class Step:
    """One thing that was done: its kind, what to tell of it, and the rows it was done to."""

    kind: str
    told: str
    rows: int = 0


def prune(
    log: Log, rules: Rules, *, dry_run: bool = False, is_stopping: Callable[[], bool] = bool
) -> Iterator[Step]:
    """Export and remove the hours that are due; yield what was done, step by step.

    Raises
    ------
    server.keeping.exporting.NotExported
        If a prediction that is due is in no file; then none is removed.
    OSError
        If the files cannot be written; then none is removed.
    """
    log.change(checkpoint)
    yield _space(log, "before")
    for _ in range(_ROUNDS):
        until, due = find_due(log, rules)
        if not due or is_stopping():
            break
        yield Step("due", f"due: {due:,} predictions before {until:%Y-%m-%d %H:%M} UTC", due)
        if dry_run:
            return
        yield from _prune_until(log, rules, until, is_stopping)
        if not rules.bytes:
            break
    yield _space(log, "after")


def _prune_until(
    log: Log, rules: Rules, until: datetime, is_stopping: Callable[[], bool]
) -> Iterator[Step]:
    if rules.export_dir:
        for path, rows in export_due(log, rules.export_dir, until, rules.commit_timeout_s):
            yield Step("exported", f"exported: {path}, {rows:,} rows", rows)
            if is_stopping():
                return
    with log.cursor() as cursor:
        tables, shadows = stored_tables(cursor), shadow_tables(cursor)
    removed = _remove_rows(log, tables, until, is_stopping)
    yield Step("removed", f"removed: {removed:,} predictions", removed)
    if not is_stopping() and (old := count_old_shadows(log, shadows, until)):
        yield from _prune_shadows(log, rules, until, shadows, old, is_stopping)
    if not is_stopping():
        yield from _prune_labels(log, rules, until)
    log.change(checkpoint)


def _prune_shadows(
    log: Log,
    rules: Rules,
    until: datetime,
    tables: Sequence[str],
    rows: int,
    is_stopping: Callable[[], bool],
) -> Iterator[Step]:
    if rules.export_dir:
        path = export_old_shadows(log, rules.export_dir, until, rows)
        yield Step("exported", f"exported: {path}, {rows:,} rows of the shadow", rows)
    removed = _remove_rows(log, tables, until, is_stopping)
    yield Step("shadows", f"removed: {removed:,} rows of the shadow", removed)


def _remove_rows(
    log: Log, tables: Sequence[str], until: datetime, is_stopping: Callable[[], bool]
) -> int:
    total = 0
    for table in tables:
        removal = (
            f"DELETE FROM {table} WHERE rowid IN "  # noqa: S608  # names of ours
            f"(SELECT rowid FROM {table} WHERE predicted_at < $until LIMIT {PIECE_ROWS})"
        )
        while not is_stopping() and (removed := _remove(log, removal, {"until": until})):
            total += removed
    return total


def _prune_labels(log: Log, rules: Rules, until: datetime) -> Iterator[Step]:
    with log.cursor() as cursor:
        if LABELS not in table_names(cursor):
            return
    old = find_old_labels(log, until)
    if old and rules.export_dir:
        path = export_old_labels(log, rules.export_dir, until, len(old))
        yield Step("exported", f"exported: {path}, {len(old):,} labels", len(old))
    removed = sum(_remove(log, statement, values) for statement, values in removals(old))
    if removed:
        yield Step("labels", f"removed: {removed:,} labels that no prediction is left for", removed)


def _remove(log: Log, statement: str, values: dict[str, Any]) -> int:
    began = time.monotonic()
    (removed,) = log.change(lambda writer: writer.execute(statement, values).fetchone() or (0,))
    time.sleep(max(_LEAST_PAUSE_S, time.monotonic() - began))
    return int(removed)


def _space(log: Log, when: str) -> Step:
    with log.cursor() as cursor:
        return Step("space", f"{when}: {space_of(cursor, log.path)}")
