import json
from itertools import count
from pathlib import Path

import pytest

from benchmarks.wrk import lua, turn

URL = "http://127.0.0.1:1/predict"

ANSWERED = """\
Running 4s test @ http://127.0.0.1:1/predict
  Latency Distribution
     50%  812.00us
     75%    4.23ms
     99%    1.02s
  1000 requests in 4.00s, 0.62MB read
Requests/sec:    250.00
"""


@pytest.fixture
def wrk_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def prepare(text: str) -> None:
        program = tmp_path / "wrk"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}END\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return prepare


def test_figures_are_in_the_units_they_name(wrk_prints, tmp_path) -> None:
    wrk_prints(ANSWERED)
    used_s = count(start=7, step=2)

    figures = turn(
        URL, tmp_path / "post.lua", connections=8, seconds=4, cpu_s=lambda: float(next(used_s))
    )

    assert (figures.requests_per_s, figures.p50_ms, figures.p99_ms) == (250, 0.812, 1020)
    assert figures.cpu_us == 2_000


@pytest.mark.parametrize(
    "fault", ["Non-2xx or 3xx responses: 3\n", "Socket errors: connect 0, read 1\n"]
)
def test_a_turn_with_anything_unanswered_does_not_count(fault, wrk_prints, tmp_path) -> None:
    wrk_prints(ANSWERED + fault)

    with pytest.raises(SystemExit, match=f"{URL} did not answer everything"):
        turn(URL, tmp_path / "post.lua", connections=8, seconds=4, cpu_s=lambda: 0.0)


def test_a_body_is_a_string_of_lua() -> None:
    script = lua(json.dumps({"name": 'a "b" \\ ü'}, ensure_ascii=False).encode())

    assert script.splitlines()[-1] == (
        'wrk.body = "{\\"name\\": \\"a \\\\\\"b\\\\\\" \\\\\\\\ \\u00fc\\"}"'
    )
