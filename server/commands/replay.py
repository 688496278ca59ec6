"""``python -m server replay``: what another model would have answered to all that was asked."""

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server.commands.sources import add_url_to, address_of, source_of
from server.config import Settings
from server.model import Model
from server.replaying.findings import find
from server.replaying.pairs import Pairs
from server.replaying.report import to_json, to_page, to_text
from server.replaying.rerun import rerun
from server.replaying.stored import Which, check_same, fetch, find_logged
from server.replaying.verdict import Tolerance, judge

# What a script learns: 1 is that it could not be done, as of every command.
_CODES = {"safe": 0, "not safe": 2, "cannot tell": 3}


def add_to(commands: Any) -> None:
    """Add the command's parser to those of argparse."""
    allowed = Tolerance()
    parser = commands.add_parser(
        "replay", help="the stored inputs through another model: is it safe to switch?"
    )
    parser.add_argument("--model", type=Path, required=True, help="the other ONNX file")
    parser.add_argument("--since", type=_time, default=datetime.min, help="ISO 8601, UTC")
    parser.add_argument("--until", type=_time, help="ISO 8601, UTC; default: now")
    parser.add_argument("--version", help="only what this model_version has answered")
    parser.add_argument("--limit", type=_whole, help="only the newest so many")
    parser.add_argument("--to", type=Path, metavar="DIR", help="write a page, JSON and changes")
    parser.add_argument(
        "--max-changed", type=_share, default=allowed.changed, help="share of labels; %(default)s"
    )
    parser.add_argument(
        "--max-moved",
        type=float,
        default=allowed.moved,
        help="of a probability, or in standard deviations of a value; %(default)s",
    )
    parser.add_argument(
        "--max-novel", type=_share, default=allowed.novel, help="share of rows more; %(default)s"
    )
    add_url_to(parser)
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace, settings: Settings) -> int:
    model = Model(asked.model)
    contract = model.contract
    tolerance = Tolerance(asked.max_changed, asked.max_moved, asked.max_novel)
    until = asked.until or datetime.now(UTC).replace(tzinfo=None)
    which = Which(asked.since, until, asked.version, asked.limit)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="replay-") as scratch,
        source_of(settings, asked.url) as source,
    ):
        folder = Path(scratch)
        logged = find_logged(source)
        check_same(logged, contract)
        unanswered = rows = 0
        for answered, lacking in rerun(
            model, logged, fetch(source, logged, contract, which, folder), folder
        ):
            rows, unanswered = rows + answered, unanswered + lacking
            _tell(rows + unanswered, began)
        if not rows + unanswered:
            print(f"no prediction of {source.name} fits what was asked for", file=sys.stderr)
            return _CODES["cannot tell"]
        with Pairs(folder) as pairs:
            found = find(pairs, logged, contract, unanswered)
            verdict = judge(found, tolerance)
            if asked.to:
                asked.to.mkdir(parents=True, exist_ok=True)
                beyond = tolerance.moved * (1.0 if contract.class_names else found.spread or 0.0)
                pairs.write_changes(contract, beyond, asked.to / "changes.parquet")
        if asked.to:
            said = to_json(model, found, verdict, tolerance, source.name)
            (asked.to / "replay.json").write_text(said, encoding="utf-8")
            address = asked.url or address_of(settings)
            page = to_page(contract, found, verdict, source.name, address)
            (asked.to / "replay.html").write_text(page, encoding="utf-8")
    print(to_text(contract, found, verdict, source.name))
    if asked.to:
        print(f"{asked.to}: replay.html, replay.json and changes.parquet")
    return _CODES[verdict.word]


def _tell(rows: int, began: float) -> None:
    if sys.stderr.isatty():
        rate = rows / max(time.monotonic() - began, 1e-9)
        print(f"\r{rows:,} rows  {rate:,.0f} rows/s\033[K", end="", file=sys.stderr, flush=True)


def _time(text: str) -> datetime:
    given = datetime.fromisoformat(text)
    return given.astimezone(UTC).replace(tzinfo=None) if given.tzinfo else given


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share between 0 and 1")
    return share
