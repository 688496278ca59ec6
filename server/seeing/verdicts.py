"""What the monitor says of the last day of the served model, in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from server.config import Settings
from server.monitor.watching import watch
from server.monitor.windows import Window
from server.prediction_log import PredictionLog
from server.served import Served


@dataclass(frozen=True)
class Verdicts:
    """The stability index by input, and whether a check is an alarm by its key.

    What there are too few rows for is in neither: it would look like an alarm, or like none.
    """

    drift: Mapping[str, float] = field(default_factory=dict)
    alarms: Mapping[str, bool] = field(default_factory=dict)


def judge_last_day(log: PredictionLog, champion: Served, settings: Settings) -> Verdicts:
    """Count and judge the rows of the last day, as /monitor does."""
    contract = champion.model.contract
    now = datetime.now(UTC).replace(tzinfo=None)
    window = Window(contract.model_name, contract.model_version, now - timedelta(days=1), until=now)
    with log.reading() as snapshot:
        (source,) = (each for each in snapshot.sources if each.table == champion.target.table.name)
        watched = watch(snapshot.cursor, source, window, contract, settings)
    verdicts = [check.verdict for check in watched.checks]
    inputs = [drift for drift in watched.drifts if drift.quantity.kind == "input"]
    return Verdicts(
        {
            drift.quantity.name: drift.check.verdict.value
            for drift in inputs
            if drift.check.verdict.state != "too few rows" and drift.check.verdict.value is not None
        },
        {each.key: each.state == "alarm" for each in verdicts if each.state != "too few rows"},
    )
