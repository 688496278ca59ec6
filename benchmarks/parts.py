"""Time the parts of single predictions, in one process: ``python -m benchmarks.parts``.

Each part is done again and again by itself, for 1, 8 and 32 requests that are answered together, so
its figure is the least that it can take: in a server its code and data have to come back into the
caches, and it shares the interpreter's lock. What the system does for a connection is not in it.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import msgspec
from waitress.adjustments import Adjustments

from benchmarks.instances import InstanceMaker
from benchmarks.running import ROOT
from server.answers import to_contents
from server.app import create_app
from server.config import Settings
from server.limits.parser import Parser
from server.seeing.log_lines import json_line
from server.seeing.record import RECEIVED_AT, Record, headers_of
from server.storage.rows import to_part
from server.web import Parts

_TOGETHER = (1, 8, 32)
_WARM_UP, _CALLS = 20, 300
_HEAD = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def main() -> int:
    """Measure, and print a table."""
    model = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "models" / "sdss.onnx"
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(model=model, database=Path(folder) / "log.duckdb"))
        parts: Parts = app.extensions["sextant"]
        contract = parts.model.contract
        maker = InstanceMaker(msgspec.to_builtins(contract), Random(0))  # noqa: S311  # test rows
        bodies = [json.dumps(maker.make(missing_share=0)).encode() for _ in range(max(_TOGETHER))]
        columns = [_measure(parts, bodies[:together]) for together in _TOGETHER]
        parts.log.close()
    print(f"| us a request, answered together | {' | '.join(map(str, _TOGETHER))} |")
    print(f"|---|{'---|' * len(_TOGETHER)}")
    for name in columns[0]:
        cells = (
            f"{column[name] / together:.1f}"
            for column, together in zip(columns, _TOGETHER, strict=True)
        )
        print(f"| {name} | {' | '.join(cells)} |")
    return 0


def _measure(parts: Parts, bodies: list[bytes]) -> dict[str, float]:
    """Return the microseconds of each part for all bodies together."""
    n_rows, log = len(bodies), parts.log
    reader = parts.lineup.champion.reader
    instances = reader.parse_singles(bodies)[1]
    assert instances is not None  # noqa: S101  # they are made of the contract
    stored = log.number(n_rows)
    answered = parts.lineup.answer(instances, stored)
    names = ["0123456789abcdef" * 2] * n_rows
    rows = answered.rows(names)[0]
    shared, contents = to_contents(answered.said[0], reasons=True)

    def store() -> None:
        for each in rows:
            each["numbered"] = log.number(n_rows)
        log.wait(log.hand_in(None, *rows))

    return {
        "read header and body": _us(lambda: [_read_http(body) for body in bodies]),
        "read and check the values": _us(lambda: reader.parse_singles(bodies)),
        "run the graph": _us(lambda: parts.lineup.answer(instances, stored)),
        "write rows as JSON": _us(lambda: [to_part(each, each["target"]) for each in rows]),
        "say why in words": _us(lambda: to_contents(answered.said[0], reasons=True)),
        "write the answers": _us(
            lambda: [msgspec.json.encode({**shared, **content}) for content in contents]
        ),
        "count, and write a line of the log": _us(lambda: [_note(parts) for _ in bodies]),
        "write rows as JSON, commit, and wait for it": _us(store),
    }


def _read_http(body: bytes) -> bytes:
    data = f"{_HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body
    parser = Parser(_ADJUSTMENTS)
    while not parser.completed:
        data = data[parser.received(data) :]
    content: bytes = parser.get_body_stream().read()
    return content


_ADJUSTMENTS = Adjustments()


def _note(parts: Parts) -> None:
    lines: list[dict[str, Any]] = []
    parts.seeing.log_to(lines.append, 0)
    record = Record({"REQUEST_METHOD": "POST", RECEIVED_AT: time.perf_counter()})
    for part in ("parse", "model", "store", "answer"):
        record.begin(part)
    headers_of(record)
    parts.seeing.finish(record, "/predict", 200, "0123456789abcdef" * 2)
    for line in lines:
        json_line({"time": time.time(), **line})


def _us(call: Callable[[], object]) -> float:
    for _ in range(_WARM_UP):
        call()
    times = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1e6 * median(times)


if __name__ == "__main__":
    sys.exit(main())
