import math

import numpy as np
import pytest
from scipy import stats

from server.monitor.chance import (
    Counts,
    chance_of_more,
    chi_square_quantile,
    index_by_chance,
    rows_for_index,
    rows_for_rise,
    stability_index,
)

RATE = 0.01 / 20
MIXES = {
    "ten bins": [0.1] * 10,
    "two never filled in training": [0.1] * 10 + [0.0, 0.0],
    "three rare": [0.0995] * 10 + [0.004, 0.0008, 0.0002],
    "two": [0.7, 0.3],
    "twenty categories": list(1 / np.arange(1, 21) / (1 / np.arange(1, 21)).sum()),
}


@pytest.mark.parametrize("df", [1, 2, 3, 5, 9, 11, 20, 100])
@pytest.mark.parametrize("p", [0.5, 0.95, 0.99, 0.9995, 1 - 1e-6])
def test_the_quantile_is_that_of_scipy(p, df):
    assert chi_square_quantile(p, df) == pytest.approx(stats.chi2.ppf(p, df), rel=1e-6)


@pytest.mark.parametrize(
    ("k", "n", "known", "m"),
    [(0, 10, 5, 100), (3, 10, 5, 100), (10, 10, 100, 100), (60, 1000, 10, 2000), (5, 5, 0, 8000)],
)
def test_the_chance_of_more_is_that_of_scipy(k, n, known, m):
    expected = stats.hypergeom.sf(k - 1, n + m, k + known, n)

    assert chance_of_more(k, n, known, m) == pytest.approx(expected, rel=1e-6)


def test_the_chance_of_more_is_found_in_millions_of_rows():
    assert chance_of_more(10_500, 1_000_000, 80, 8000) == pytest.approx(
        stats.hypergeom.sf(10_499, 1_008_000, 10_580, 1_000_000), rel=1e-4
    )


def test_the_index_is_the_sum_of_its_definition():
    counts = Counts([30, 50, 20, 0], [100, 300, 600, 0])
    p = (np.array([30, 50, 20]) + 0.5) / 101.5
    q = (np.array([100, 300, 600]) + 0.5) / 1001.5

    parts = stability_index(counts)

    assert sum(parts) == pytest.approx(float(((p - q) * np.log(p / q)).sum()))
    assert parts[3] == 0


def test_what_is_all_in_one_bin_can_not_drift():
    assert index_by_chance(Counts([50], [100]), RATE) == math.inf
    assert rows_for_index(Counts([50], [100]), RATE, 0.1) is None


def test_a_reference_of_few_rows_tells_no_small_shift():
    assert rows_for_index(Counts([0] * 10, [20] * 10), RATE, 0.1) is None


def test_the_smallest_sample_is_the_one_in_which_the_index_is_no_chance():
    known = [800] * 10

    rows = rows_for_index(Counts([0] * 10, known), RATE, 0.1)

    assert index_by_chance(Counts([rows / 10] * 10, known), RATE) <= 0.1
    assert index_by_chance(Counts([(rows - 2) / 10] * 10, known), RATE) > 0.1


def test_the_smallest_sample_of_a_share_is_the_one_in_which_its_rise_is_no_chance():
    rows = rows_for_rise(10, 2000, RATE, 0.05)

    assert chance_of_more(math.floor(0.055 * rows), rows, 10, 2000) <= RATE
    assert 20 < rows < 400


@pytest.mark.parametrize("rows", [50, 200, 1000])
@pytest.mark.parametrize("mix", MIXES)
def test_chance_passes_its_index_at_about_the_stated_rate(mix, rows):
    """Both sides are drawn anew each time, as a reference is drawn from its population, too."""
    rng, rate, windows = np.random.default_rng(0), 0.01, 2000
    live = rng.multinomial(rows, MIXES[mix], windows)
    known = rng.multinomial(8000, MIXES[mix], windows)

    alarms = sum(
        sum(stability_index(counts)) > index_by_chance(counts, rate)
        for counts in map(Counts, live.tolist(), known.tolist())
    )

    assert alarms <= 1.5 * rate * windows
