"""What the model said, how often it was asked what it does not know, and how long it took."""

from collections import Counter as Tally
from collections.abc import Sequence

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from server.contract import Contract
from server.model import Model
from server.served import Answered, Said

# In seconds: one row takes some tens of microseconds, 10,000 rows some hundreds of milliseconds.
_BUCKETS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5)


class _Series:
    """The series of one contract, so that none is looked up by name for each row."""

    def __init__(self, contract: Contract, metrics: "PredictionMetrics") -> None:
        labelled = metrics.predictions.labels if metrics.is_labelled else None
        # Every series is there from the start, so that the first one of a kind is seen to come.
        self.of_label = {name: labelled(name) for name in contract.class_names if labelled}
        bounds = contract.novelty.columns if contract.novelty else []
        self.novel = [metrics.novel.labels(bound.name) for bound in bounds]
        nullable = [feature.name for feature in contract.features if feature.nullable]
        self.missing = [(name, metrics.missing.labels(name)) for name in nullable]


class PredictionMetrics:
    """Counters of stored predictions, named by the contracts of the models that are served."""

    def __init__(self, model: Model, registry: CollectorRegistry) -> None:
        def counter(name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
            return Counter(name, meaning, labels, registry=registry)

        self._registry = registry
        self._info = Info("model", "The model that is served.", registry=registry)
        self._seconds = Histogram(
            "model_inference_seconds",
            "The model's graph, for all rows of a request.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self.is_labelled = bool(model.contract.class_names)
        self.predictions = counter(
            "model_predictions", "Rows predicted and stored.", ["label"] if self.is_labelled else []
        )
        self._checked = counter("model_novelty_checked", "Rows looked at for novelty.")
        self._outside = counter("model_novelty_outside", "Rows novel in at least one feature.")
        self.novel = counter("model_novel_predictions", "Rows novel in this feature.", ["feature"])
        self.missing = counter("model_missing_inputs", "Rows without this input.", ["feature"])
        self._by_model = counter(
            "model_version_predictions",
            "Rows stored, by the model that said them; in the shadow they were answered to nobody.",
            ["model", "version", "role"],
        )
        self._failures = counter(
            "model_shadow_failures", "Requests to which the challenger in the shadow has failed."
        )
        self._expected: Gauge | None = None
        self._series: dict[str, _Series] = {}
        self.serve(model)

    def serve(self, model: Model) -> None:
        """Take the champion from now on."""
        self._info.info(model.named)
        self._series_of(model)
        novelty = model.contract.novelty
        if novelty and self._expected is None:
            self._expected = Gauge(
                "model_novelty_expected_ratio",
                "Share of rows like those the model knows that is called novel.",
                registry=self._registry,
            )
        elif self._expected and not novelty:
            self._registry.unregister(self._expected)
            self._expected = None
        if novelty and self._expected:
            self._expected.set(novelty.false_alarms)

    def answered(self, answered: Answered) -> None:
        """Count what was stored of one request, or of several together."""
        for said in answered.said:
            self._count(said, "answered")
            self._tell(said)
        for said in answered.shadows:
            self._count(said, "shadow")
        if answered.has_failed_shadow:
            self._failures.inc()

    def _series_of(self, model: Model) -> _Series:
        if model.sha256 not in self._series:
            self._series[model.sha256] = _Series(model.contract, self)
        return self._series[model.sha256]

    def _count(self, said: Said, role: str) -> None:
        named = said.served.model.named
        self._by_model.labels(named["name"], named["version"], role).inc(len(said.places))

    def _tell(self, said: Said) -> None:
        series, n_rows = self._series_of(said.served.model), len(said.places)
        outputs = said.prediction.outputs
        self._seconds.observe(said.prediction.inference_ms / 1e3)
        if not self.is_labelled:
            self.predictions.inc(n_rows)
        elif n_rows == 1:  # as most are, and a tally takes longer than all the rest
            series.of_label[outputs["label"].item()].inc()
        else:
            for label, rows in Tally(outputs["label"].tolist()).items():
                series.of_label[label].inc(rows)
        for name, missing in series.missing:
            if lacking := int(np.isnan(said.instances.arrays[name]).sum()):
                missing.inc(lacking)
        novelty = outputs.get("novelty")
        if novelty is None:
            return
        self._checked.inc(n_rows)
        if novelty.any():
            self._outside.inc(int(novelty.any(axis=1).sum()))
            for novel, rows in zip(series.novel, novelty.sum(axis=0).tolist(), strict=True):
                novel.inc(rows)
