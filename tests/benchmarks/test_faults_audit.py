"""The audit of `make faults` finds every way in which a log can break its word."""

from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest

from benchmarks.faults.audit import Audit, audit
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.outcome import Outcome
from benchmarks.faults.pool import Pool
from benchmarks.running import ROOT
from tests.conftest import contract_of

# Name, instances by number, whether it was answered.
ASKED = [("a-1", [0], True), ("a-2", [1, 2], True), ("a-3", [3], False), ("a-4", [4], False)]
STORED = [("a-1/0", 0), ("a-2/0", 1), ("a-2/1", 2), ("a-3/0", 3)]


@pytest.fixture(scope="module")
def pool() -> Pool:
    shipped = ROOT / "models" / "sdss.onnx"
    return Pool(contract_of(shipped), shipped)


@pytest.fixture
def ledger(pool: Pool) -> Ledger:
    ledger, number = Ledger(), 0
    for name, numbers, is_answered in ASKED:
        ledger.send(name, numbers, is_keyed=True)
        if is_answered:
            predictions = [_said(pool, each, number + place) for place, each in enumerate(numbers)]
            ledger.tell(name, predictions)
        number += len(numbers)
    return ledger


def _said(pool: Pool, instance: int, number: int) -> dict[str, Any]:
    return {**pool.bare[instance], "prediction_id": str(UUID(int=number))}


@pytest.fixture
def database(pool: Pool, tmp_path: Path) -> Path:
    """A log as a server has it that kept its word: what was not answered is there, or not."""
    path = tmp_path / "predictions.duckdb"
    features = ", ".join(f'"{name}" FLOAT' for name in pool.features)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"CREATE TABLE predictions (prediction_id UUID, id VARCHAR, instance INTEGER, "
            f"{features}, label VARCHAR, "
            f"probabilities STRUCT(GALAXY FLOAT, QSO FLOAT, STAR FLOAT))"
        )
        for number, (row_id, instance) in enumerate(STORED):
            inputs = [pool.instances[instance].get(name) for name in pool.features]
            said = [pool.bare[instance][name] for name in ("label", "probabilities")]
            row = [UUID(int=number), row_id, int(row_id[-1]), *inputs, *said]
            connection.execute(f"INSERT INTO predictions VALUES ({', '.join('?' * len(row))})", row)
    return path


def _after(database: Path, statement: str, ledger: Ledger, pool: Pool) -> Audit:
    with duckdb.connect(str(database)) as connection:
        connection.execute(statement)
    return audit(database, ledger, pool)


def test_a_log_that_kept_its_word_passes(database: Path, ledger: Ledger, pool: Pool) -> None:
    assert audit(database, ledger, pool) == Audit(4, [], [], [])


def test_an_acknowledged_row_that_is_missing_is_lost(
    database: Path, ledger: Ledger, pool: Pool
) -> None:
    found = _after(database, "DELETE FROM predictions WHERE id = 'a-1/0'", ledger, pool)

    assert found == Audit(3, ["a-1/0"], [], [])


def test_a_row_under_another_id_than_was_told_is_lost(
    database: Path, ledger: Ledger, pool: Pool
) -> None:
    other = f"UPDATE predictions SET prediction_id = '{UUID(int=99)}' WHERE id = 'a-1/0'"

    assert _after(database, other, ledger, pool).lost == ["a-1/0"]


@pytest.mark.parametrize("row_id", ["a-1/0", "a-3/0"])
def test_a_row_that_is_stored_twice_is_doubled_answered_or_not(
    database: Path, ledger: Ledger, pool: Pool, row_id: str
) -> None:
    again = (
        f"INSERT INTO predictions SELECT * REPLACE ('{UUID(int=99)}'::UUID AS prediction_id) "
        f"FROM predictions WHERE id = '{row_id}'"
    )

    assert _after(database, again, ledger, pool) == Audit(5, [], [row_id], [])


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE predictions SET u = u + 1 WHERE id = 'a-3/0'",
            "a-3/0, as stored: WrongAnswer: u is",
        ),
        ("UPDATE predictions SET redshift = 9 WHERE id = 'a-3/0'", "redshift is 9"),
        ("UPDATE predictions SET label = 'cat' WHERE id = 'a-3/0'", "label is cat"),
        (
            "UPDATE predictions SET probabilities = {'GALAXY': 0.2, 'QSO': 0.3, 'STAR': 0.5} "
            "WHERE id = 'a-3/0'",
            "onnxruntime alone says",
        ),
        ("UPDATE predictions SET instance = 1 WHERE id = 'a-3/0'", "its place is 1"),
        ("UPDATE predictions SET id = 'b-1/0' WHERE id = 'a-3/0'", "nobody asked for it"),
    ],
)
def test_a_stored_row_that_is_wrong_is_named(
    database: Path, ledger: Ledger, pool: Pool, statement: str, message: str
) -> None:
    found = _after(database, statement, ledger, pool)

    (wrong,) = found.wrong
    assert message in wrong


def test_a_request_that_is_stored_in_part_is_wrong(
    database: Path, ledger: Ledger, pool: Pool
) -> None:
    found = _after(database, "DELETE FROM predictions WHERE id = 'a-2/1'", ledger, pool)

    assert found.lost == ["a-2/1"]
    assert found.wrong == ["a-2: 1 of its 2 rows are stored"]


def test_an_answer_that_is_not_the_first_one_is_wrong(ledger: Ledger, pool: Pool) -> None:
    ledger.tell("a-1", [_said(pool, 0, 0)])
    assert ledger.wrong == 0

    ledger.tell("a-1", [_said(pool, 0, 99)])

    assert ledger.wrong == 1
    assert ledger.complaints == ["a-1: answered otherwise than the first time"]


@pytest.mark.parametrize(
    "others",
    [
        {"lost": 1},
        {"doubled": 1},
        {"wrong": 1},
        {"acknowledged": 0},
        {"complaints": ["it says ready, and answers 503"]},
    ],
)
def test_whatever_breaks_the_rule_makes_the_fault_fail(others: dict[str, Any]) -> None:
    kept: dict[str, Any] = {
        "fault": "kill9",
        "rounds": 3,
        "requests": 1_000,
        "acknowledged": 900,
        "stored": 901,
        "lost": 0,
        "doubled": 0,
        "wrong": 0,
        "recovered_s": [1.0, 1.2, 4.0],
        "complaints": [],
    }

    assert Outcome(**kept).is_kept
    assert (
        str(Outcome(**kept)) == "| kill9 | 3 | 1,000 | 900 | 901 | 0 | 0 | 0 | 1.2, at most 4.0 |"
    )
    assert not Outcome(**{**kept, **others}).is_kept
