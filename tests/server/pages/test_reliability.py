"""What is drawn of a head's answers on held-out rows."""

import numpy as np
import pytest

from server.model import Model
from server.pages.reliability import to_heads, wilson
from tests.server.conftest import SHIPPED


@pytest.fixture(scope="module")
def contract():
    return Model(SHIPPED).contract


def test_each_class_has_a_panel_with_its_own_bins(contract):
    for drawn, head in zip(to_heads(contract), contract.evaluation.heads, strict=True):
        assert [panel.name for panel in drawn["panels"]] == contract.class_names
        assert sum(len(panel.points) for panel in drawn["panels"]) == len(head.reliability)
        assert {point.bin.class_name for point in drawn["panels"][1].points} == {"QSO"}


def test_points_lie_inside_their_panel(contract):
    points = [
        point for head in to_heads(contract) for panel in head["panels"] for point in panel.points
    ]

    assert all(0 <= point.x <= 100 for point in points)
    assert all(
        0 <= point.top <= point.y + 0.01 <= point.bottom + 0.02 <= 100.02 for point in points
    )


def test_the_panel_of_a_regression_reaches_over_all_that_was_seen(regression_model):
    (head,) = to_heads(Model(regression_model.path).contract)

    (panel,) = head["panels"]
    assert panel.name == "depth"
    assert panel.low == min(min(p.bin.predicted, p.bin.observed) for p in panel.points)
    assert head["confusion"] == []


def test_shares_of_a_row_of_the_confusion_sum_to_one(contract):
    for head in to_heads(contract):
        for row in head["confusion"]:
            assert sum(cell["share"] for cell in row["cells"]) == pytest.approx(1)


def test_the_most_important_feature_comes_first(contract):
    for head in to_heads(contract):
        means = [each["mean"] for each in head["importance"]]
        assert means == sorted(means, reverse=True)


@pytest.mark.parametrize(("share", "rows"), [(0.0, 10), (1.0, 10), (0.5, 1), (0.3, 1000)])
def test_chance_reaches_to_both_sides_and_no_further_than_a_share_can(share, rows):
    low, high = wilson(share, rows)

    assert 0 <= low <= share <= high <= 1


def test_chance_reaches_as_far_as_simulated_shares():
    rng = np.random.default_rng(0)
    found = [wilson(rng.binomial(200, 0.3) / 200, 200) for _ in range(2000)]

    assert np.mean([low <= 0.3 <= high for low, high in found]) == pytest.approx(0.95, abs=0.02)
