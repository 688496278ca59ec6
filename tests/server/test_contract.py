"""Numbers are answered in the fewest digits that say the same float32."""

import numpy as np
import pytest

from server.contract import to_decimals


def floats_of_all_sizes():
    bits = np.random.default_rng(0).integers(0, 2**32, 200_000, dtype=np.uint64)
    values = bits.astype(np.uint32).view(np.float32)
    return values[np.isfinite(values)]


@pytest.mark.parametrize(
    "values",
    [
        floats_of_all_sizes(),
        floats_of_all_sizes()[np.abs(np.log10(np.abs(floats_of_all_sizes()))) < 12],
        np.random.default_rng(1).uniform(0, 1, 100_000).astype(np.float32),
        np.random.default_rng(2).uniform(-30, 30, 100_000).round(3).astype(np.float32),
        np.concatenate([2.0 ** np.arange(-40, 49), -(2.0 ** np.arange(-40, 49))]).astype(
            np.float32
        ),
        np.array([0.0, -0.0, np.nan, np.inf, 1e-45, 3.4028235e38] * 10, dtype=np.float32),
        np.array([0.0, -0.0, np.nan, 0.1, 1e-12, 123456789] * 10, dtype=np.float32),
        np.array([[0.1, 0.2]], dtype=np.float32),
        np.array([[0.1, np.nan], [19.47406, -8.96e-06]] * 20, dtype=np.float32),
    ],
    ids=["all", "common", "shares", "short", "powers", "odd", "missing", "few", "rows"],
)
def test_a_float32_is_the_decimal_that_python_would_write_for_it(values):
    decimals = np.array(to_decimals(values))

    texts = values.astype("U32").astype(np.float64)
    assert decimals.shape == values.shape
    np.testing.assert_array_equal(decimals, texts)
    np.testing.assert_array_equal(np.signbit(decimals), np.signbit(texts))
