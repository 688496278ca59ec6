"""The path of what is counted, for Prometheus."""

from server.openapi.subject import Subject
from server.openapi.vocabulary import Paths, answer, operation


def paths(_: Subject) -> Paths:
    """Return the paths."""
    text = {"schema": {"type": "string"}}
    content = {"text/plain": text, "application/openmetrics-text": text}
    ok = answer("Prometheus' text, or OpenMetrics where `Accept` asks for it.", content)
    summary = "Counts, times and gauges for Prometheus"
    return {"/metrics": {"get": operation("metrics", "Health", summary, {200: ok})}}
