"""The experiments run on any survey table, go on where they stopped, and come out as published."""

import json
from pathlib import Path
from typing import Any

import pytest
from sklearn.base import clone

from research.alternatives import build_alternatives
from research.provenance import sha256_of
from research.report.experiments import EXPERIMENTS, models, setting, tuning
from research.report.experiments.__main__ import main, run
from research.report.experiments.ablation import SETS, widen
from research.report.experiments.errors import analyse
from research.report.experiments.facts import count
from research.report.experiments.leakage import rule
from research.report.experiments.models import candidates
from research.report.experiments.setting import MODES, Budget, Setting, head
from research.report.measures import score_rows
from research.report.results import load, rounded
from tests.conftest import SURVEY, made_survey

SMALL = Budget(repeats=1, repeats_grouped=1, trees=5, settings=1, inner_folds=2, sizes=(125, 250))
# Another processor may round the last bit of a sum otherwise, and a tree may then cut elsewhere.
TOLERANCE = 0.002

real_table = pytest.mark.skipif(not SURVEY, reason="the published results are of the real table")


@pytest.fixture(scope="module")
def small_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("survey") / "made.csv"
    made_survey(400).to_csv(path, index=False)
    return path


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads of three rounds: what is tested is that everything runs."""
    whole = setting.build_pipeline()
    for part in (whole["heads"].spectroscopic, whole["heads"].photometric):
        part.set_params(max_iter=3)
    monkeypatch.setattr(setting, "build_pipeline", lambda: clone(whole))
    monkeypatch.setattr(models, "build_alternatives", _with_fewer_rounds)
    monkeypatch.setitem(tuning.SPACE, "max_iter", [2, 3])


def _with_fewer_rounds() -> dict[str, Any]:
    found = build_alternatives()
    for pair in found.values():
        for model in pair:
            if model is not None and "max_iter" in model.get_params():
                model.set_params(max_iter=3)
    return found


@pytest.fixture(scope="module")
def real(survey_path: Path) -> Setting:
    return Setting(survey_path, Budget())


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_every_experiment_runs_once_and_is_kept(small_table: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.json"

    run(small_table, out, SMALL)
    first = out.read_text()
    results = json.loads(first)
    run(small_table, out, SMALL)

    assert set(EXPERIMENTS) < set(results)
    assert set(results["about"]["runs"]) == set(EXPERIMENTS)
    assert out.read_text() == first


def test_a_run_goes_on_where_it_stopped(
    small_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def experiment(name: str) -> Any:
        return lambda _: ran.append(name) or {"n": 1}

    for name in EXPERIMENTS:
        monkeypatch.setitem(EXPERIMENTS, name, experiment(name))
    out = tmp_path / "results.json"
    run(small_table, out, SMALL)
    results = json.loads(out.read_text())
    del results["sets"]
    out.write_text(json.dumps(results))
    ran.clear()

    run(small_table, out, SMALL, again=("facts",))

    assert ran == ["facts", "sets"]


def test_another_budget_starts_over(
    small_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in EXPERIMENTS:
        monkeypatch.setitem(EXPERIMENTS, name, lambda given: {"trees": given.budget.trees})
    out = tmp_path / "results.json"

    run(small_table, out, Budget(trees=1))
    run(small_table, out, Budget(trees=2))

    assert load(out)["models"] == {"trees": 2}


def test_a_wrong_table_ends_with_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text("u,g\n1,2\n")
    monkeypatch.setattr("sys.argv", ["experiments", "--data", str(path), "--out", "unwritten"])

    with pytest.raises(SystemExit, match=r"^research\.report\.experiments: .* has no column"):
        main()


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
@pytest.mark.parametrize("name", ["stump", "logistic", "spline", "additive", "pairwise", "full"])
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
@pytest.mark.parametrize("features", ["magnitudes", "wide_added", "less_u-g"])
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
