"""Start a contender, take the time until it answers right, and end it whatever happens."""

import http.client
import os
import subprocess
import sysconfig
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.bodies import Rows
from benchmarks.peers.building import places_of
from benchmarks.peers.contenders import Contender, Format
from benchmarks.processes import VARIABLE, Processes
from benchmarks.running import ROOT, free_port

# Some take half a minute, and minutes on a machine with much other work.
_START_TIMEOUT_S = 300.0
_POLL_S = 0.02
_TOLERANCE = 1e-5

# Content, and headers by their names in lower case.
Answer = tuple[bytes, dict[str, str]]


class NotRight(Exception):
    """A contender ends, or does not answer, or not what it should; the message says which."""


@dataclass(frozen=True)
class Running:
    """A contender that has answered right, and what its start took until then."""

    contender: Contender
    port: int
    processes: Processes
    database: Path
    start_s: float
    start_cpu_s: float


@contextmanager
def running(
    contender: Contender, cache: Path, scratch: Path, rows: Rows, expected: Any
) -> Iterator[Running]:
    """Run the contender until the block ends, once it gives `expected` for `rows`.

    Raises
    ------
    NotRight
        If it does not.
    """
    scratch = scratch / uuid.uuid4().hex
    scratch.mkdir(parents=True)
    port, token = free_port(), scratch.name
    places = places_of(contender, cache) | {
        "path": os.environ["PATH"],
        "libpython": str(sysconfig.get_config_var("LIBDIR")),
        "database": str(scratch / "log.duckdb"),
        "port": str(port),
        "port2": str(free_port()),
        "port3": str(free_port()),
    }
    environment = {name: value.format(**places) for name, value in contender.environment}
    output = scratch / "output"
    began = time.perf_counter()
    with output.open("wb") as stream:
        first = subprocess.Popen(
            [part.format(**places) for part in contender.command],
            env={**os.environ, **environment, VARIABLE: token},
            cwd=ROOT,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    processes = Processes(token)
    try:
        _await_answer(first, contender, port, rows, expected, output)
        took = time.perf_counter() - began, processes.cpu_s()
        yield Running(contender, port, processes, scratch / "log.duckdb", *took)
    finally:
        processes.end()
        first.wait()


def post(
    port: int,
    path: str,
    form: Format,
    body: bytes,
    kept: http.client.HTTPConnection | None = None,
) -> Answer:
    """Post to a port of this machine, on a connection of its own or on one that is kept.

    Raises
    ------
    NotRight
        If the answer is no 200.
    OSError, http.client.HTTPException
        If there is none.
    """
    connection = kept or http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"Content-Type": form.media_type, **dict(form.headers)}
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        content = response.read()
    finally:
        if not kept:
            connection.close()
    if response.status != 200:
        said = content[:300].decode(errors="replace")
        raise NotRight(f"{response.status} for {form.name}: {said}")
    return content, {name.lower(): value for name, value in response.getheaders()}


def check(contender: Contender, form: Format, answer: Answer, expected: Any) -> None:
    """Raise NotRight unless the probabilities are `expected`."""
    if not contender.predicts:
        return
    found = np.asarray(form.read(*answer))
    if found.shape != expected.shape:
        raise NotRight(f"{form.name}: probabilities of shape {found.shape}, not {expected.shape}")
    difference = float(np.abs(found - expected).max())
    if not difference <= _TOLERANCE:
        raise NotRight(f"{form.name}: probabilities differ by {difference:.2g}")


def _await_answer(
    first: subprocess.Popen[bytes],
    contender: Contender,
    port: int,
    rows: Rows,
    expected: Any,
    output: Path,
) -> None:
    form = contender.formats[0]
    body, deadline = form.write(rows), time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            answer = post(port, contender.path, form, body)
            break
        # Not yet: nobody listens, or who does has no model so far.
        except (OSError, http.client.HTTPException, NotRight) as error:
            if first.poll() is not None or time.monotonic() > deadline:
                said = output.read_text(errors="replace")[-2000:]
                raise NotRight(f"no answer ({error}); it said: {said}") from None
        time.sleep(_POLL_S)
    check(contender, form, answer, expected)
