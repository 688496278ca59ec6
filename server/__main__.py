"""Serve a model: ``python -m server``, with settings from ``SEXTANT_*``; or ask its log."""

import contextlib
import json
import logging
import os
import shlex
import signal
import sys
from threading import Event
from types import FrameType

from server import listener
from server.access.gate import Gate
from server.access.hosts import own_address
from server.app import create_app
from server.commands.run import run
from server.config import InvalidSettings, Settings
from server.contract import Contract, InvalidModel
from server.keeping.background import Retention
from server.pages.home import example_instance
from server.seeing.log_writer import start_log
from server.storage.database import LogUnusable
from server.web import Parts


def main() -> int:
    """Run until SIGTERM or SIGINT; return 0 after an orderly stop, 1 if it cannot start."""
    # Waitress warns of every request that waits for a thread; waiting is how groups form.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    is_stopping = Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        is_stopping.set()
        signal.signal(number, signal.SIG_DFL)  # a second one does not wait

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        settings = Settings.from_environment(os.environ)
        logs = start_log(settings.log_format, settings.log_level)
        for variable in Settings.unknown_variables(os.environ):
            logging.warning("%s is no setting and changes nothing", variable)
        app = create_app(settings, is_stopping)
    except (InvalidSettings, InvalidModel, LogUnusable) as error:
        return _refuse(str(error))
    parts: Parts = app.extensions["sextant"]
    log, contract = parts.log, parts.model.contract
    parts.seeing.log_to(logs.write_request, logs.level)
    try:
        listening = listener.bind(settings.host, settings.port)
    except OSError as error:
        log.close()
        return _refuse(
            f"{settings.host}:{settings.port}: {error.strerror or error}; "
            "set SEXTANT_HOST or SEXTANT_PORT"
        )
    address = own_address(settings.host, listening.getsockname()[1])
    gate: Gate = app.extensions["sextant-gate"]
    print(_greeting(address, settings, contract, gate), flush=True)
    del parts  # its model may be switched, and is let go then
    retention = Retention(app.extensions["sextant-keeping"], is_stopping)
    listener.run(app, settings, listening, is_stopping)
    retention.stop(settings.stop_timeout_s / 2)
    if not log.close(settings.stop_timeout_s):
        print("Sextant stops while a commit hangs; what it answered is stored.", file=sys.stderr)
        logs.close()
        os._exit(1)  # the writer is inside DuckDB and would hold the process
    with contextlib.suppress(BrokenPipeError):
        print("Sextant stopped; every prediction it answered is in the log.", flush=True)
    return 0


def _refuse(reason: str) -> int:
    print(f"Sextant cannot start: {reason}", file=sys.stderr)
    return 1


def _greeting(address: str, settings: Settings, contract: Contract, gate: Gate) -> str:
    scores = [
        f"  {score.name.replace('_', ' ')} {score.mean:.4g} ± {score.sd:.2g} {score.mode}".rstrip()
        for score in contract.metrics
        if score.headline
    ]
    body = shlex.quote(json.dumps(example_instance(contract), ensure_ascii=False))
    key = "" if "predict" in gate.without_key else ' -H "authorization: Bearer $SEXTANT_KEY"'
    return "\n".join(
        [
            f"Sextant serves {contract.model_name} {contract.model_version} at {address}",
            *scores,
            f"  predictions are kept in {settings.database}",
            *([f"  {gate.told}"] if gate.told else []),
            "Try:",
            f"  curl {address}/predict{key} -H 'content-type: application/json' -d {body}",
        ]
    )


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]) if sys.argv[1:] else main())
