"""A key from its making to its use: by the command, the server's greeting, and the commands."""

import os
import subprocess

import pytest

from server.commands.run import run
from tests.server.conftest import OBJECT


def test_the_line_is_printed_and_the_key_is_told_beside_it(capsys):
    assert run(["key", "laptop", "--scopes", "predict, read", "--until", "2027-12-31"]) == 0

    line, told = capsys.readouterr()
    name, scopes, digest, until = line.split()
    assert (name, scopes, len(digest), until) == ("laptop", "predict,read", 64, "2027-12-31")
    assert told.split()[-1].startswith("sextant_")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["laptop", "--scopes", "write"], "'write' is none of predict, read"),
        (["my laptop", "--scopes", "read"], "a name is a letter"),
        (["laptop", "--scopes", "read", "--until", "soon"], "is no date such as 2027-12-31"),
    ],
)
def test_a_key_that_could_not_be_read_is_not_made(capsys, arguments, message):
    assert run(["key", *arguments]) == 1

    line, told = capsys.readouterr()
    assert line == ""
    assert message in told
    assert "sextant_" not in told


@pytest.mark.slow
def test_a_server_with_keys_is_asked_as_it_says(start_server, capsys, monkeypatch, tmp_path):
    run(["key", "me", "--scopes", "predict,sql"])
    line, told = capsys.readouterr()
    key = told.split()[-1]
    server = start_server(keys=line.strip(), host="0.0.0.0")  # noqa: S104  # that is what is tried
    curl = server.greeting.splitlines()[-1]

    answer = subprocess.run(  # as a person would
        ["bash", "-c", curl], env={**os.environ, "SEXTANT_KEY": key}, capture_output=True, text=True
    ).stdout
    monkeypatch.setenv("SEXTANT_DATABASE", str(tmp_path / "predictions.duckdb"))
    asked = ["sql", "SELECT count(*) AS n FROM predictions", "--format", "csv", "--url", server.url]
    without = run(asked)
    refused = capsys.readouterr().err
    monkeypatch.setenv("SEXTANT_KEY", key)
    run(asked)

    assert "keys: 1; open without one: nothing" in server.greeting
    assert '"prediction_id"' in answer
    assert without == 1
    assert "answers 401" in refused
    assert server.post("/predict", OBJECT)[0] == 401
    assert server.stop() == 0
    assert key not in "".join(server.last_words) + server.greeting
