"""What the analysis takes from physics and from the survey's papers is computed right."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from research.data import InvalidTable
from research.features import Colours
from research.report.columns import COLUMNS
from research.report.experiments.edges import derived_from
from research.report.experiments.errors import doubts
from research.report.experiments.facts import BANDS, flux, ids, zero_flux
from research.report.experiments.trust import describe_sets, thresholds
from research.report.table import read_whole
from tests.conftest import made_survey

ORDINARY = {"u": 18.9, "g": 17.5, "r": 16.8, "i": 16.4, "z": 16.1, "redshift": 0.08}


def table_of(**changes: object) -> pd.DataFrame:
    row = pd.DataFrame([{"class": "GALAXY", **ORDINARY, **changes}])
    return row.assign(**{f"{a}-{b}": row[a] - row[b] for a, b in ("ug", "gr", "ri")})


def reasons(table: pd.DataFrame) -> list[str]:
    return [reason for reason, rows in doubts(table).items() if rows.any()]


@pytest.mark.parametrize(
    ("band", "magnitude"), [("u", 24.63), ("g", 25.11), ("r", 24.80), ("i", 24.36), ("z", 22.83)]
)
def test_no_flux_has_the_magnitude_of_the_survey_s_table(band: str, magnitude: float) -> None:
    assert zero_flux(band) == pytest.approx(magnitude, abs=0.005)
    assert flux(zero_flux(band), band) == pytest.approx(0, abs=1e-9)


def test_a_bright_magnitude_is_a_common_logarithm() -> None:
    # 22.5 is one nanomaggy by definition.
    assert flux(17.5, "r") == pytest.approx(100, rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"redshift": 0.0}, "galaxy_without_redshift"),
        ({"r": 15.0, "redshift": 0.8}, "galaxy_too_luminous"),
        (
            {"u": 18.6, "g": 18.5, "r": 18.6, "i": 18.7, "redshift": 0.15},
            "galaxy_with_colours_of_a_hot_star",
        ),
        ({"class": "QSO", "redshift": 0.0005}, "quasar_without_redshift"),
        ({"class": "QSO", "u": 17.6, "redshift": 3.9}, "quasar_beyond_lyman_limit"),
        ({"class": "STAR", "redshift": -0.004}, "star_too_fast"),
    ],
)
def test_what_cannot_be_is_doubted(changes: dict[str, object], reason: str) -> None:
    assert reasons(table_of(**changes)) == [reason]


def test_an_ordinary_galaxy_is_not_doubted() -> None:
    assert reasons(table_of()) == []


def test_ids_give_away_what_is_written_into_them() -> None:
    table = made_survey(2).assign(
        specobjid=[str((plate << 50) + (7 << 38) + (1_615 << 24)) for plate in (266, 3_306)],
        plate=[266, 3_306],
        fiberid=7,
        mjd=51_615,
        objid=["1237648704577142784"] * 2,
    )

    found = ids(table)

    assert found["read_back"]["plate"] == found["read_back"]["fiberid"] == 1
    assert found["read_back"]["mjd"] == 1
    assert found["distinct"]["objid"] == 1


def test_a_changed_row_is_derived_as_the_pipeline_derives_it(X: pd.DataFrame) -> None:
    bands = X[[*BANDS]].to_numpy()

    derived = derived_from(bands, X["redshift"].to_numpy(), "with_redshift")

    assert np.array_equal(derived, Colours().fit(X).transform(X))


def test_a_class_is_in_the_sets_of_its_own_rows_at_the_promised_rate() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1, 1], 30_000)
    y = np.array(["GALAXY", "QSO", "STAR"])[[rng.choice(3, p=row) for row in p]]
    least = thresholds(p[::2], y[::2], 0.05, by_class=True)

    held = describe_sets(p[1::2] >= least, y[1::2])

    for label in ("GALAXY", "QSO", "STAR"):
        assert held[f"coverage_{label}"] == pytest.approx(0.95, abs=0.01)


def test_every_column_of_the_table_is_described(survey_path: Path) -> None:
    assert set(read_whole(survey_path).columns) == set(COLUMNS)


@pytest.mark.parametrize(
    ("column", "message"), [("ra", "no column ra"), ("fiberid", "no column fiberid")]
)
def test_a_table_without_a_needed_column_is_refused(
    tmp_path: Path, column: str, message: str
) -> None:
    made_survey(20).drop(columns=column).to_csv(tmp_path / "short.csv", index=False)

    with pytest.raises(InvalidTable, match=message):
        read_whole(tmp_path / "short.csv")


def test_a_hole_outside_the_features_is_named(tmp_path: Path) -> None:
    made_survey(20).astype({"mjd": object}).assign(mjd="").to_csv(
        tmp_path / "holes.csv", index=False
    )

    with pytest.raises(InvalidTable, match="no number in column mjd"):
        read_whole(tmp_path / "holes.csv")
