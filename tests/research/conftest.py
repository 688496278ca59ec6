"""A small SkyServer on loopback: it runs the queries it gets, and fails as it is told."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import pandas as pd
import pytest

from research.simulate import simulate


@dataclass
class SkyServer:
    """The service, the queries that came, and what to answer instead, in turn."""

    url: str
    sky: pd.DataFrame
    queries: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def run_query(sky: pd.DataFrame, query: str) -> list[dict[str, Any]]:
    """Run a query of T-SQL's dialect, as far as ours go, on tables named as the survey's."""
    rows = re.search(r"SELECT TOP (\d+)", query)
    plain = re.sub(r"SELECT TOP \d+", "SELECT", query) + (f" LIMIT {rows[1]}" if rows else "")
    with duckdb.connect() as connection:
        connection.register("sky", sky)
        connection.execute(
            "CREATE VIEW SpecObj AS SELECT specobjid, objid AS bestobjid, class, redshift AS z, "
            "plate, mjd, fiberid FROM sky; CREATE VIEW PhotoObj AS SELECT * FROM sky"
        )
        answer = connection.execute(plain)
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def broken(fault: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return what the service answers when something is wrong."""
    page = b"<html><head><title>Skyserver Error</title></head><body>down</body></html>"
    told = json.dumps({"ErrorCode": 400, "ErrorMessage": "Invalid column name 'q'"}).encode()
    rows = json.loads(body)[0]["Rows"]
    answers: dict[str, tuple[int, dict[str, str], bytes]] = {
        "busy": (503, {"Retry-After": "0"}, b"wait"),
        "too many": (429, {"Retry-After": "0"}, b"Maximum 60 queries allowed per minute"),
        "failing": (500, {}, b"fault"),
        "error page": (200, {}, page),
        "error message": (200, {}, told),
        "bad request": (400, {}, told),
        "not found": (404, {}, page),
        "cut": (200, {}, body[: len(body) // 2]),
        "cut short of its length": (200, {"Content-Length": str(len(body) + 9)}, body),
        "no table": (200, {}, b'{"other": 1}'),
        "another column": (200, {}, body.replace(b'"redshift"', b'"zed"')),
        "disorder": (200, {}, json.dumps([{"Rows": rows[::-1]}]).encode()),
        "too much": (200, {}, json.dumps([{"Rows": [*rows, *rows]}]).encode()),
        "broken id": (200, {}, body.replace(b'"specobjid": "', b'"specobjid": "x')),
        "fewer rows": (200, {}, json.dumps([{"Rows": rows[:3]}]).encode()),
    }
    return answers[fault]


@pytest.fixture
def skyserver() -> Iterator[SkyServer]:
    service = SkyServer("", simulate(300))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server names it
            asked = parse_qs(urlsplit(self.path).query)
            service.queries.append(asked["cmd"][0])
            assert asked["format"] == ["json"]
            rows = run_query(service.sky, asked["cmd"][0])
            body = json.dumps([{"TableName": "Table1", "Rows": rows}]).encode()
            status, headers = 200, {}
            fault = service.faults.pop(0) if service.faults else ""
            if fault:
                status, headers, body = broken(fault, body)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        service.url = (
            f"http://127.0.0.1:{server.server_port}/dr17/SkyServerWS/SearchTools/SqlSearch"
        )
        yield service
        server.shutdown()
        thread.join()
