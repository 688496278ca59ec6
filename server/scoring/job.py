"""Score a whole file: in parts, on all cores, and on from where it was broken off."""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from server.model import Model
from server.prediction_log import PredictionLog
from server.scoring.part import Refused, Work
from server.scoring.plan import Request, begin, held
from server.scoring.staging import PART_ROWS
from server.scoring.tables import open_table
from server.scoring.writing import merge


@dataclass(frozen=True)
class Scored:
    """What was done: rows of the file, and those of them that were not taken."""

    rows: int
    rejected: int


def score(
    request: Request,
    model: Model,
    log: PredictionLog | None,
    tell: Callable[[int, int, int], None],
) -> Scored:
    """Answer every row of a file; the result appears whole or not at all.

    Interrupted at any moment, the same call goes on behind the parts that are there.

    Parameters
    ----------
    tell : callable
        Called with the rows done, all rows, and those that an earlier run has done.

    Raises
    ------
    InvalidTable
        If the file is not the table it should be, another run is at work, or the parts that are
        there were made of another file, by another model or otherwise.
    Refused
        If the model cannot take some row, and no file is named for such rows.
    """
    folder = request.folder
    with held(folder):
        run_id = begin(request, model, log)
        table = open_table(request.source, request.source_form, folder)
        work = Work(
            table=table,
            model=model,
            log=log,
            folder=folder,
            form=request.form,
            at_length=request.at_length,
            is_beside=request.is_beside,
            takes_rejects=request.rejects is not None,
            run_id=run_id,
        )
        _run(work, tell)
        rejects = [work.rejects(number) for number in range(table.parts)]
        rejected = sum(path.read_bytes().count(b"\n") for path in rejects)
        if request.rejects:
            merge(rejects, b"", "ndjson", request.rejects, {})
        parts = [work.path(number) for number in range(table.parts)]
        head = (folder / "head").read_bytes()
        merge(parts, head, request.form, request.to, _said_of(model))
        shutil.rmtree(folder)
    return Scored(table.rows, rejected)


def _run(work: Work, tell: Callable[[int, int, int], None]) -> None:
    """Do what is missing on a thread a core: a session runs on the core of its caller."""
    rows = work.table.rows
    missing = [n for n in range(work.table.parts) if not work.path(n).exists()]
    done = before = rows - sum(min(PART_ROWS, rows - n * PART_ROWS) for n in missing)
    tell(done, rows, before)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        futures = {threads.submit(work.do, number): number for number in missing}
        try:
            for future in as_completed(futures):
                future.result()
                done += min(PART_ROWS, rows - futures[future] * PART_ROWS)
                tell(done, rows, before)
        except Refused:
            raise Refused(_all_faults(threads, futures)) from None
        finally:
            threads.shutdown(cancel_futures=True)


def _all_faults(threads: ThreadPoolExecutor, futures: dict[Future[None], int]) -> list[Any]:
    """Return the faults of all parts that were begun: the first in the file is among them."""
    threads.shutdown(cancel_futures=True)
    errors = [future.exception() for future in futures if not future.cancelled()]
    faults = [fault for each in errors if isinstance(each, Refused) for fault in each.faults]
    return sorted({*faults}, key=lambda fault: (-1 if fault.row is None else fault.row, fault.name))


def _said_of(model: Model) -> dict[str, str]:
    contract = model.contract
    return {
        "model_name": contract.model_name,
        "model_version": contract.model_version,
        "model_sha256": model.sha256,
    }
