"""What a contract says of how the model did, and of what it says beside its answer, if any."""

from typing import Literal

import msgspec


class ExplainedFeature(msgspec.Struct, frozen=True):
    """One derived feature: what the last step of the pipeline is given."""

    name: str
    unit: str


class Background(msgspec.Struct, frozen=True):
    """The rows that contributions are measured against."""

    rows: int
    of: str


class ExplainedHead(msgspec.Struct, frozen=True):
    """One head of the model, and the outputs that explain it."""

    head: str
    contributions: str
    base_values: str


class Explanation(msgspec.Struct, frozen=True):
    """What contributions are of, or the reason why there are none."""

    reason: str | None
    input: str | None
    scale: Literal["log-odds", "value", ""]
    background: Background | None
    features: list[ExplainedFeature]
    columns: list[str]
    heads: list[ExplainedHead]


class Reliability(msgspec.Struct, frozen=True):
    """What was said and what was so, in one bin of the probabilities of a class or of the value."""

    class_name: str
    predicted: float
    observed: float
    rows: int


class EvaluatedHead(msgspec.Struct, frozen=True):
    """What one head did on the rows it could answer."""

    head: str
    rows: int
    confusion: list[list[int]] | None
    reliability: list[Reliability]
    importance: list[list[float]] | None


class Evaluation(msgspec.Struct, frozen=True):
    """What the model did on rows that nothing was fitted or calibrated on."""

    of: str
    heads: list[EvaluatedHead]


class Coverage(msgspec.Struct, frozen=True):
    """How often the truth was held in rows that nothing was fitted or calibrated on."""

    head: str
    class_name: str
    share: float | None
    rows: int
    size: float | None


class Conformal(msgspec.Struct, frozen=True):
    """How prediction sets or intervals came about, and how well they hold."""

    alpha: float
    method: str
    rows: int
    thresholds: dict[str, dict[str, float]]
    half_width: float | None
    coverage: list[Coverage]


class Bound(msgspec.Struct, frozen=True):
    """The ends between which a derived feature or an input is not novel."""

    name: str
    kind: Literal["derived", "input"]
    low: float | None
    high: float | None


class Novelty(msgspec.Struct, frozen=True):
    """What each column of the output `novelty` compares, and how often it flags known rows."""

    quantiles: tuple[float, float]
    columns: list[Bound]
    false_alarms: float
    rows: int


class Distribution(msgspec.Struct, frozen=True):
    """How one quantity lies in the training rows."""

    edges: list[float] | None
    categories: list[str] | None
    shares: list[float]
    missing: float


class Reference(msgspec.Struct, frozen=True):
    """How everything lies in the training rows."""

    rows: int
    inputs: dict[str, Distribution]
    derived: dict[str, Distribution]
    scores: dict[str, Distribution]
