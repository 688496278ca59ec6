"""A model can tell its date, its commit and its data."""

import hashlib
from pathlib import Path

import pytest

from research import provenance


def test_the_date_is_that_of_source_date_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")

    assert provenance.timestamp() == "2023-11-14T22:13:20Z"


def test_the_date_is_now_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)

    assert provenance.timestamp() > "2026"


def test_without_a_repository_there_is_no_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(provenance, "_ROOT", tmp_path)

    assert provenance.git_commit() is None


def test_changed_sources_mark_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"rev-parse": "abc", "status": " M research/train.py"}
    monkeypatch.setattr(provenance, "_git", lambda command, *_: answers[command])

    assert provenance.git_commit() == "abc-dirty"


def test_data_are_named_by_their_digest(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"u,g\n")

    assert provenance.sha256_of(path) == hashlib.sha256(b"u,g\n").hexdigest()
