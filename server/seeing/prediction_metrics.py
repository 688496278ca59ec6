"""What the model said, how often it was asked what it does not know, and how long it took."""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from server.contract import Contract

# In seconds: one row takes some tens of microseconds, 10,000 rows some hundreds of milliseconds.
_BUCKETS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5)


class PredictionMetrics:
    """Counters of stored predictions, named by the contract of one model."""

    def __init__(self, contract: Contract, registry: CollectorRegistry) -> None:
        def counter(name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
            return Counter(name, meaning, labels, registry=registry)

        Info("model", "The model that is served.", registry=registry).info(
            {
                "name": contract.model_name,
                "version": contract.model_version,
                "sha256": contract.file_sha256,
            }
        )
        self._seconds = Histogram(
            "model_inference_seconds",
            "The model's graph, for all rows of a request.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._label = next((o.name for o in contract.outputs if o.role == "label"), None)
        self._predictions = counter(
            "model_predictions", "Rows predicted and stored.", ["label"] if self._label else []
        )
        # Every series is there from the start, so that the first one of a kind is seen to come.
        self._of_label = {name: self._predictions.labels(name) for name in contract.class_names}
        self._checked = counter("model_novelty_checked", "Rows looked at for novelty.")
        self._outside = counter("model_novelty_outside", "Rows novel in at least one feature.")
        novel = counter("model_novel_predictions", "Rows novel in this feature.", ["feature"])
        bounds = contract.novelty.columns if contract.novelty else []
        if contract.novelty:
            Gauge(
                "model_novelty_expected_ratio",
                "Share of rows like those the model knows that is called novel.",
                registry=registry,
            ).set(contract.novelty.false_alarms)
        self._novel = [novel.labels(bound.name) for bound in bounds]
        missing = counter("model_missing_inputs", "Rows without this input.", ["feature"])
        self._missing = [(f.name, missing.labels(f.name)) for f in contract.features if f.nullable]

    def predicted(
        self,
        arrays: Mapping[str, Any],
        outputs: Mapping[str, Any],
        inference_ms: float,
        n_rows: int,
    ) -> None:
        """Count the stored rows of one request.

        Parameters
        ----------
        arrays : mapping of str to ndarray of shape (n_rows,)
            The inputs, NaN for what is missing.
        outputs : mapping of str to ndarray of shape (n_rows, ...)
            What the model said.
        """
        self._seconds.observe(inference_ms / 1e3)
        if self._label is None:
            self._predictions.inc(n_rows)
        elif n_rows == 1:  # as most are, and a tally takes longer than all the rest
            self._of_label[outputs[self._label].item()].inc()
        else:
            for label, rows in Tally(outputs[self._label].tolist()).items():
                self._of_label[label].inc(rows)
        for name, missing in self._missing:
            if lacking := int(np.isnan(arrays[name]).sum()):
                missing.inc(lacking)
        novelty = outputs.get("novelty")
        if novelty is None:
            return
        self._checked.inc(n_rows)
        if novelty.any():
            self._outside.inc(int(novelty.any(axis=1).sum()))
            for novel, rows in zip(self._novel, novelty.sum(axis=0).tolist(), strict=True):
                novel.inc(rows)
