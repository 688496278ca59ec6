import subprocess
import sys
from pathlib import Path
from uuid import UUID

import duckdb
import pytest

from benchmarks.bench import audit_log


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE predictions (prediction_id UUID)")
        connection.executemany(
            "INSERT INTO predictions VALUES (?)", [[UUID(int=number)] for number in (1, 2, 3)]
        )
    return path


def test_everything_acknowledged_is_found(database: Path) -> None:
    audit = audit_log([str(UUID(int=1)), str(UUID(int=3))], database)

    assert str(audit) == "acknowledged 2, stored 3, lost 0"


def test_a_prediction_that_was_acknowledged_and_not_stored_is_named(database: Path) -> None:
    audit = audit_log([str(UUID(int=1)), str(UUID(int=4))], database)

    assert audit.lost == [str(UUID(int=4))]
    assert str(audit) == "acknowledged 2, stored 3, lost 1"


@pytest.mark.slow
def test_a_short_bench_answers_everything_and_loses_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.bench", "--users", "4", "--seconds", "3"]

    result = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "the server stopped in order" in result.stdout
    assert "lost 0" in result.stdout
