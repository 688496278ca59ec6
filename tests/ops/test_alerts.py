"""The rules and the dashboard in ops/: well formed, tried, documented, and of metrics we have."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "ops" / "prometheus"
DASHBOARD = json.loads((ROOT / "ops" / "grafana" / "sextant.json").read_text())
ALERTS = re.findall(r"- alert: (\w+)", (RULES / "alerts.yml").read_text())
DOCUMENT = (ROOT / "docs" / "seeing.md").read_text()
# What Prometheus adds to a histogram.
PARTS = re.compile(r"_(bucket|sum|count)$")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "config", "prometheus.yml"],
        # The key that it reads is on the machine that it runs on.
        ["check", "config", "--syntax-only", "compose.yml"],
        ["test", "rules", "alerts.test.yml"],
    ],
    ids=["configuration", "configuration for Compose", "rules"],
)
def test_promtool_agrees(arguments):
    done = subprocess.run(
        ["promtool", *arguments], cwd=RULES, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_is_documented_and_tried_both_ways(alert):
    tried = (RULES / "alerts.test.yml").read_text()

    assert f"| `{alert}` |" in DOCUMENT
    assert re.search(rf"alertname: {alert}\}}", tried), "beside its fire"
    assert re.search(rf"alertname: {alert}\n +exp_alerts:", tried), "in its fire"


def test_rules_and_dashboard_ask_for_metrics_we_have():
    documented = set(re.findall(r"^\| `([a-z_]+)` \| \w+ \|", DOCUMENT, re.MULTILINE)) | {"up"}
    rules = re.sub(r"(#|summary:).*", "", (RULES / "alerts.yml").read_text())
    queries = [t["expr"] for panel in DASHBOARD["panels"] for t in panel.get("targets", [])]

    asked = set(re.findall(r"\b(?:[a-z]+_)+[a-z]+\b", " ".join([rules, *queries])))

    words = {"histogram_quantile", "predict_linear", "humanize", "rule_files"}
    assert {PARTS.sub("", name) for name in asked} - words <= documented


def test_the_panels_of_the_dashboard_do_not_lie_on_each_other():
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]

    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))
