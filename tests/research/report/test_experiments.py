"""The experiments run on any survey table and go on where they stopped."""

import json
from pathlib import Path
from typing import Any

import pytest
from sklearn.base import clone

from research.alternatives import build_alternatives
from research.report.experiments import EXPERIMENTS, models, setting, tuning
from research.report.experiments.__main__ import main, run
from research.report.experiments.setting import Budget
from research.report.results import load
from tests.conftest import made_survey

SMALL = Budget(repeats=1, repeats_grouped=1, trees=5, settings=1, inner_folds=2, sizes=(125, 250))


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


@pytest.mark.long
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
