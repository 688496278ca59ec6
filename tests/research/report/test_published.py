"""A sample of the experiments, measured again on the real table, comes out as published."""

from pathlib import Path

import pytest

from research.provenance import sha256_of
from research.report.experiments import EXPERIMENTS
from research.report.experiments.ablation import SETS, widen
from research.report.experiments.errors import analyse
from research.report.experiments.facts import count
from research.report.experiments.leakage import rule
from research.report.experiments.models import candidates
from research.report.experiments.setting import MODES, Budget, Setting, head
from research.report.measures import score_rows
from research.report.results import load, rounded
from tests.conftest import SURVEY

# Another processor may round the last bit of a sum otherwise, and a tree may then cut elsewhere.
TOLERANCE = 0.002

# Their first folds take minutes.
_LARGE = ("spline", "additive", "pairwise", "full")

real_table = pytest.mark.skipif(not SURVEY, reason="the published results are of the real table")


@pytest.fixture(scope="module")
def real(survey_path: Path) -> Setting:
    return Setting(survey_path, Budget())


@real_table
def test_the_published_results_are_of_this_table_and_of_todays_experiments() -> None:
    about = load()["about"]

    assert about["data_sha256"] == sha256_of(Path(str(SURVEY)))
    assert set(about["runs"]) == set(EXPERIMENTS)
    assert about["cpu_minutes"] <= about["budget"]["cpu_minutes"]


@real_table
def test_counting_again_gives_the_published_facts(real: Setting) -> None:
    assert rounded(count(real)) == load()["facts"]
    assert rounded(rule(real.table)) == load()["leakage"]["rule"]


@pytest.mark.slow
@real_table
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "name",
    [
        *("stump", "logistic"),
        *(pytest.param(each, marks=pytest.mark.long) for each in _LARGE),
    ],
)
def test_the_first_fold_of_a_model_scores_as_published(real: Setting, name: str, mode: str) -> None:
    train, test = real.folds[0]
    Z, y = real.Z(mode), real.y
    fitted = candidates(real)[name][mode].fit(Z[train], y[train])

    again = score_rows(fitted.predict_proba(Z[test]), y[test])

    published = load()["models"][name][mode]["random"]
    for score, value in again.items():
        assert value == pytest.approx(published[score]["folds"][0], abs=TOLERANCE), score


@pytest.mark.slow
@real_table
@pytest.mark.parametrize(
    "features", [pytest.param("magnitudes", marks=pytest.mark.long), "wide_added", "less_u-g"]
)
def test_the_first_fold_of_a_set_of_features_scores_as_published(
    real: Setting, features: str
) -> None:
    mode = MODES[1]
    train, test = real.folds[0]
    Z = widen(real.table)[list(SETS[mode][features])].to_numpy()
    fitted = head(mode).fit(Z[train], real.y[train])

    again = score_rows(fitted.predict_proba(Z[test]), real.y[test])

    published = load()["ablation"][mode][features]
    for score, value in again.items():
        assert value == pytest.approx(published[score]["folds"][0], abs=TOLERANCE), score


@pytest.mark.slow
@real_table
def test_the_errors_are_the_published_ones(real: Setting) -> None:
    again, published = rounded(analyse(real)), load()["errors"]

    assert again["doubtful"] == published["doubtful"]
    for mode in MODES:
        assert again[mode]["wrong"] == pytest.approx(published[mode]["wrong"], abs=5)
        assert again[mode]["all"] == pytest.approx(published[mode]["all"], abs=TOLERANCE)
