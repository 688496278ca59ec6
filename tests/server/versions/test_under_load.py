"""Switches and rollbacks under load: nothing fails, and every row is booked to who answered it."""

import os
import time

import duckdb
import pytest

from benchmarks.switching import run
from server.commands.run import run as run_command

pytestmark = pytest.mark.slow


def test_no_request_fails_and_each_version_has_its_own_rows(
    start_server, serving_file, sha256, tmp_path, monkeypatch, capsys
):
    server = start_server(model=serving_file)
    for name, value in (("PORT", server.port), ("DATABASE", tmp_path / "predictions.duckdb")):
        monkeypatch.setenv(f"SEXTANT_{name}", str(value))

    found, took, clients = run(
        server.url, "penguins/2", clients=4, rounds=1, pause=lambda: time.sleep(0.2)
    )
    code = run_command(["models", "rollback"])
    told = capsys.readouterr().out
    stopped = server.stop()

    assert (found.failed, found.lost, found.otherwise, found.unasked) == (0, 0, 0, 0)
    assert set(found.answered) == {"1", "2"}
    assert found.shadowed > 0
    assert len(took) == 7
    assert (code, stopped) == (0, 0)
    assert f"the champion is penguins/2, sha256 {sha256('2')}" in told
    assert {each.sha256 for each in clients.booked.values()} == {sha256("1"), sha256("2")}
    with duckdb.connect(os.environ["SEXTANT_DATABASE"], read_only=True) as log:
        rows = log.execute(
            "SELECT model_version, count(*) FROM predictions GROUP BY ALL"
        ).fetchall()
        assert dict(rows) == dict(found.answered)
