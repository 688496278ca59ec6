"""What a run was asked for, kept beside its parts, so that none goes on with parts of another."""

import contextlib
import fcntl
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.model import Model
from server.prediction_log import PredictionLog
from server.scoring.staging import InvalidTable

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


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder of the parts, so that no second run writes there."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidTable(f"{folder}: another run is at work there") from None
        yield


def begin(request: Request, model: Model, log: PredictionLog | None) -> str:
    """Write the plan where there is none, and return the name of the run, which bears it.

    Raises
    ------
    InvalidTable
        If there is another plan.
    """
    path, plan = request.folder / "plan.json", _plan(request, model, log)
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
