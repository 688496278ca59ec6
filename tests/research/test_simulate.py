"""The synthetic survey looks like the real one, and says everywhere that it is none."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import f1_score

from research import simulate
from research.data import CLASSES, checked, read_survey, split_columns
from research.pipeline import build_pipeline, without_redshift
from tests.conftest import SURVEY


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return simulate.simulate(2000)


def test_the_same_seed_makes_the_same_table(table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(simulate.simulate(2000), table)


def test_classes_have_about_the_shares_of_the_survey(table: pd.DataFrame) -> None:
    assert table["class"].value_counts().to_dict() == {"GALAXY": 1000, "STAR": 830, "QSO": 170}


def test_nothing_is_beyond_the_limits_of_the_survey(table: pd.DataFrame) -> None:
    assert table["u"].max() < 19.6
    assert table["g"].max() < 20.0


def test_every_row_says_that_it_is_synthetic(table: pd.DataFrame) -> None:
    assert table["synthetic"].all()


def test_every_row_has_a_spectrum_and_an_identifier_of_its_own(table: pd.DataFrame) -> None:
    assert not table.duplicated(["plate", "mjd", "fiberid"]).any()
    assert table["specobjid"].is_unique
    assert (table["specobjid"] // np.uint64(2**50) == table["plate"]).all()


def test_the_command_writes_a_table_that_is_read_whole_and_known_as_synthetic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "made.parquet"
    monkeypatch.setattr(sys, "argv", ["simulate", "--rows", "300", "--out", str(out)])

    simulate.main()

    assert "300 synthetic objects" in capsys.readouterr().out
    assert b"synthetic" in pq.read_metadata(out).metadata
    with checked(out) as read:
        assert read.summary["rows_kept"] == read.summary["kept_synthetic"] == 300


def test_too_few_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["simulate", "--rows", "9", "--out", str(tmp_path / "x")])

    with pytest.raises(SystemExit, match="100 or more"):
        simulate.main()


@pytest.mark.slow
@pytest.mark.skipif(not SURVEY, reason="SEXTANT_SURVEY names no real table")
def test_a_model_of_synthetic_rows_knows_much_of_the_real_sky() -> None:
    X, y, _ = split_columns(read_survey(SURVEY or ""))
    fitted = build_pipeline().fit(*split_columns(simulate.simulate(10_000))[:2])

    scores = [
        f1_score(y, fitted.predict(rows), average="macro", labels=list(CLASSES))
        for rows in (X, without_redshift(X))
    ]

    assert np.all(np.array(scores) > [0.965, 0.92])
