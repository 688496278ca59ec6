"""``python -m server score IN OUT``: answer every row of a file, however many."""

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from server.config import Settings
from server.model import Model
from server.prediction_log import PredictionLog
from server.scoring.job import score
from server.scoring.plan import Request
from server.scoring.staging import PART_ROWS
from server.scoring.tables import FORMS, form_of
from server.versions.serving import load_champion

# How often the progress is told, in seconds: on a terminal in one line, elsewhere line by line.
_EVERY_S = {True: 0.2, False: 10.0}
_BAR = 24
# A part takes longer to store than a request.
_COMMIT_S = 600.0
_PIPE = Path("-")


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    parser = commands.add_parser("score", help="answer every row of a file: CSV, NDJSON, Parquet")
    parser.add_argument("source", type=Path, metavar="IN", help="the table, or - for stdin")
    parser.add_argument("to", type=Path, metavar="OUT", help="the file to write, or - for stdout")
    parser.add_argument("--in-format", choices=FORMS, help="unless the name of IN says it")
    parser.add_argument("--out-format", choices=FORMS, help="unless the name of OUT says it")
    parser.add_argument("--model", type=Path, help="the ONNX file; default: SEXTANT_MODEL")
    parser.add_argument(
        "--log", action="store_true", help="store every row in the log, which no server may hold"
    )
    parser.add_argument("--explain", action="store_true", help="write contributions as well")
    parser.add_argument(
        "--rejects", type=Path, metavar="FILE", help="go on without rows that cannot be taken"
    )
    parser.add_argument(
        "--only-answers", action="store_true", help="leave out the columns of IN, but for id"
    )
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace, settings: Settings) -> None:
    model = Model(asked.model) if asked.model else load_champion(settings)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        request = _request(asked, stack)
        log = stack.enter_context(_log(settings, model)) if asked.log else None
        scored = score(request, model, log, Progress(sys.stderr))
        if asked.to == _PIPE:
            with request.to.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        elif request.to != asked.to:
            request.to.replace(asked.to)
    told = f"{asked.to}: {scored.rows - scored.rejected:,} rows"
    if asked.rejects:
        told += f", and {scored.rejected:,} in {asked.rejects}"
    contract = model.contract
    took = f"{time.monotonic() - began:.1f} s"
    print(f"{told}, by {contract.model_name} {contract.model_version}, {took}", file=sys.stderr)


def _request(asked: argparse.Namespace, stack: contextlib.ExitStack) -> Request:
    """Return what is asked for; what comes from a pipe, or goes into one, is a file meanwhile."""
    source, to = asked.source, asked.to
    source_form, form = form_of(source, asked.in_format), form_of(to, asked.out_format)
    if _PIPE in (source, to):
        beside = None if to == _PIPE else to.absolute().parent
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=beside)))
        ending = ".gz" if to.name.endswith(".gz") else ""
        to = scratch / f"out.{form}{ending}"
        if source == _PIPE:
            source = scratch / f"in.{source_form}"
            with source.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
    return Request(
        source=source,
        source_form=source_form,
        to=to,
        form=form,
        rejects=asked.rejects,
        at_length=asked.explain,
        is_beside=not asked.only_answers,
    )


@contextlib.contextmanager
def _log(settings: Settings, model: Model) -> Iterator[PredictionLog]:
    log = PredictionLog(
        settings.database,
        model.contract,
        sha256=model.sha256,
        # A part is one request, and each core has one at work.
        max_waiting_rows=100 * PART_ROWS,
        commit_timeout_s=max(settings.commit_timeout_s, _COMMIT_S),
    )
    try:
        yield log
    finally:
        log.close()


class Progress:
    """Tells how far the work is: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._began = self._told = time.monotonic()

    def __call__(self, done: int, total: int, before: int) -> None:
        """Tell that `done` of `total` rows are done, `before` of them by an earlier run."""
        now = time.monotonic()
        is_first = done == before
        if is_first:
            self._began = now
            if before:
                print(f"goes on behind {before:,} of {total:,} rows", file=self._stream)
        if done < total and not is_first and now - self._told < _EVERY_S[self._is_terminal]:
            return
        self._told = now
        rate = (done - before) / max(now - self._began, 1e-9)
        share = done / total if total else 1.0
        text = f"{share:4.0%}  {done:,} of {total:,} rows"
        if done > before:
            text += f"  {rate:,.0f} rows/s  {(total - done) / rate:,.0f} s left"
        if self._is_terminal:
            bar = "#" * round(share * _BAR)
            print(f"\r[{bar:<{_BAR}}] {text}\033[K", end="", file=self._stream, flush=True)
            if done == total:
                print(file=self._stream)
        elif not is_first:
            print(text, file=self._stream, flush=True)
