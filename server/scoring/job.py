"""Score a whole file: in parts, on all cores, and on from where it was broken off."""

import contextlib
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.model import Model
from server.prediction_log import PredictionLog
from server.scoring.part import Refused, Work
from server.scoring.staging import PART_ROWS, InvalidTable
from server.scoring.tables import open_table
from server.scoring.writing import merge

# Another version of the program may make other parts: then this number is another.
_VERSION = 1


@dataclass(frozen=True)
class Request:
    """What is asked for: which file, in which format, into which, and what of it."""

    source: Path
    source_form: str
    to: Path
    form: str
    # Where the rows go that the model cannot take; without it the first of them end the work.
    rejects: Path | None = None
    # Whether what explains an answer is written.
    at_length: bool = False
    # Whether the columns that came stand beside the answers; `id` always does.
    is_beside: bool = True

    @property
    def folder(self) -> Path:
        """Where parts lie until the whole is there."""
        return self.to.with_name(f"{self.to.name}.parts")


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
    with _held(folder):
        run_id = _begin(request, _plan(request, model, log))
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


def _plan(request: Request, model: Model, log: PredictionLog | None) -> dict[str, Any]:
    state = request.source.stat()
    return {
        "parts of version": _VERSION,
        "the file": str(request.source.absolute()),
        "its size": state.st_size,
        "its time": state.st_mtime_ns,
        "its format": request.source_form,
        "the model": model.contract.file_sha256,
        "the format of the result": request.form,
        "what explains an answer": request.at_length,
        "the columns beside": request.is_beside,
        "the log": str(log.path.absolute()) if log else None,
    }


def _begin(request: Request, plan: dict[str, Any]) -> str:
    """Write the plan where there is none, and return the name of the run, which bears it.

    Raises
    ------
    InvalidTable
        If there is another plan.
    """
    path = request.folder / "plan.json"
    if not path.exists():
        run_id = f"score-{uuid.uuid4().hex}"
        growing = path.with_suffix(".part")
        growing.write_text(json.dumps({"run": run_id, **plan}, indent=1), encoding="utf-8")
        growing.replace(path)
        return run_id
    begun = json.loads(path.read_text(encoding="utf-8"))
    if other := [name for name, value in plan.items() if begun.get(name) != value]:
        told = "; ".join(f"{name} was {begun.get(name)!r} and is {plan[name]!r}" for name in other)
        raise InvalidTable(
            f"{request.folder}: holds parts of a run that was otherwise: {told}. Ask as before to "
            "go on, or remove the folder to begin anew"
        )
    return str(begun["run"])


def _said_of(model: Model) -> dict[str, str]:
    contract = model.contract
    return {
        "model_name": contract.model_name,
        "model_version": contract.model_version,
        "model_sha256": contract.file_sha256,
    }


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the folder of the parts, so that no second run writes there."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidTable(f"{folder}: another run is at work there") from None
        yield
