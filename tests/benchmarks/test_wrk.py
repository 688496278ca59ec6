import os
import sys
from pathlib import Path

import pytest

from benchmarks import compare
from benchmarks.wrk import Contender, lua, turn

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
def contender() -> Contender:
    return Contender("this test", "http://127.0.0.1:1", os.getpid())


@pytest.fixture
def wrk_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def prepare(text: str) -> None:
        program = tmp_path / "wrk"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}END\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return prepare


def test_figures_are_in_the_units_they_name(wrk_prints, contender, tmp_path) -> None:
    wrk_prints(ANSWERED)

    figures = turn(contender, tmp_path / "post.lua", connections=8, seconds=4)

    assert (figures.requests_per_s, figures.p50_ms, figures.p99_ms) == (250, 0.812, 1020)
    assert 0 <= figures.cpu_us < 1e6


@pytest.mark.parametrize(
    "fault", ["Non-2xx or 3xx responses: 3\n", "Socket errors: connect 0, read 1\n"]
)
def test_a_turn_with_anything_unanswered_does_not_count(
    fault, wrk_prints, contender, tmp_path
) -> None:
    wrk_prints(ANSWERED + fault)

    with pytest.raises(SystemExit, match="this test did not answer everything"):
        turn(contender, tmp_path / "post.lua", connections=8, seconds=4)


def test_a_body_is_a_string_of_lua() -> None:
    script = lua({"name": 'a "b" \\ ü'})

    assert script.splitlines()[-1] == (
        'wrk.body = "{\\"name\\": \\"a \\\\\\"b\\\\\\" \\\\\\\\ \\\\u00fc\\"}"'
    )


def test_without_wrk_nothing_is_compared_and_it_is_said(monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["compare"])

    assert compare.main() == 0

    assert "wrk is not installed" in capsys.readouterr().out
