"""A constant rate, with a program in place of h2load where it has to say something odd."""

from pathlib import Path

import pytest

from benchmarks.peers import steady
from benchmarks.peers.contenders import OURS
from benchmarks.peers.starting import NotRight, Running
from benchmarks.processes import Processes

RIGHT = "requests: 3 total, 3 succeeded, 0 failed, 0 errored, 0 timeout\\n"
CODES = "status codes: 3 2xx, 0 3xx, 0 4xx, 0 5xx\\n"


@pytest.fixture
def server(tmp_path):
    return Running(OURS, 1, Processes("nobody"), tmp_path / "log.duckdb", 0.0, 0.0)


@pytest.fixture
def h2load_prints(tmp_path, monkeypatch):
    def prepare(text, statuses=(200, 200, 200)):
        log = "".join(f"1000000\\t{code}\\t{1000 * n}\\n" for n, code in enumerate(statuses, 1))
        program = tmp_path / "h2load"
        program.write_text(
            "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ $1 = --log-file ] && log=$2; shift; done\n"
            f"printf '{log}' > $log\nprintf '{text}'\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return prepare


def test_latencies_are_read_in_ms(h2load_prints, server, tmp_path: Path):
    h2load_prints(RIGHT + CODES)

    found = steady.at_rate(server, b"{}", tmp_path, rate=64, seconds=1)

    assert (found.requests_per_s, found.p50_ms, found.checkpoints) == (3, 2, 0)
    assert 2 < found.p99_ms <= 3


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        (RIGHT.replace("0 failed", "1 failed") + CODES, (200, 200, 200)),
        (RIGHT + CODES.replace("0 5xx", "1 5xx"), (200, 200, 200)),
        (RIGHT + CODES, (200, 503, 200)),
    ],
)
def test_a_run_with_anything_unanswered_does_not_count(
    h2load_prints, server, tmp_path: Path, text, statuses
):
    h2load_prints(text, statuses)

    with pytest.raises(NotRight):
        steady.at_rate(server, b"{}", tmp_path, rate=64, seconds=1)
