"""The long computing of the analysis: each experiment by name, in the order they run."""

from collections.abc import Callable
from typing import Any

from research.report.experiments.ablation import ablate, ablate_free, ablate_linear
from research.report.experiments.designs import designs, wrap
from research.report.experiments.edges import disturb, reweigh, transfer
from research.report.experiments.errors import analyse
from research.report.experiments.facts import count
from research.report.experiments.leakage import measure_leakage
from research.report.experiments.light import shine
from research.report.experiments.models import compare
from research.report.experiments.setting import Setting
from research.report.experiments.telling import tell
from research.report.experiments.trust import novelty, reliability, sets
from research.report.experiments.tuning import learn, tune

EXPERIMENTS: dict[str, Callable[[Setting], dict[str, Any]]] = {
    "facts": count,
    "errors": analyse,
    "reliability": reliability,
    "sets": sets,
    "novelty": novelty,
    "transfer": transfer,
    "disturb": disturb,
    "reweigh": reweigh,
    "telling": tell,
    "ablation": ablate,
    "ablation_linear": ablate_linear,
    "ablation_free": ablate_free,
    "light": shine,
    "leakage": measure_leakage,
    "designs": designs,
    "wrapped": wrap,
    "learning": learn,
    "tuning": tune,
    "models": compare,
}
