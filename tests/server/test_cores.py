import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from server import cores
from server.cores import run_on_cores
from server.model import Model
from tests.server.conftest import SHIPPED


def add(columns):
    return [columns["a"] + columns["b"], columns["a"].astype(str)]


@pytest.mark.parametrize("n_cores", [1, 2, 3])
@pytest.mark.parametrize("n_rows", [0, 1, 999, 1000, 2000, 2999, 3001, 10_007])
def test_shares_give_what_the_whole_gives(n_rows, n_cores, monkeypatch):
    monkeypatch.setattr(cores, "_CORES", n_cores)
    columns = {"a": np.arange(n_rows), "b": np.ones(n_rows)}

    found = run_on_cores(add, columns, n_rows)

    for array, wanted in zip(found, add(columns), strict=True):
        assert array.tolist() == wanted.tolist()


def test_a_share_that_fails_is_told(monkeypatch):
    monkeypatch.setattr(cores, "_CORES", 2)

    def run(share):
        if share["a"][0]:
            raise ValueError("second")
        return []

    with pytest.raises(ValueError, match="second"):
        run_on_cores(run, {"a": np.arange(2000)}, 2000)


def test_a_batch_is_answered_as_its_rows_are(monkeypatch):
    model = Model(SHIPPED)
    chance = np.random.default_rng(0)
    columns = {
        feature.name: chance.normal(17, 2, 3000).astype(np.float32)
        for feature in model.contract.features
    }
    with monkeypatch.context() as patch:
        patch.setattr(cores, "_RUN_ROWS", 10_000)
        whole = model.predict(columns)
    monkeypatch.setattr(cores, "_CORES", 3)

    shared = model.predict(columns)

    for name, array in whole.outputs.items():
        np.testing.assert_array_equal(shared.outputs[name], array)


def test_nobody_waits_for_a_helper_that_works_for_somebody_else(monkeypatch):
    is_free = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(cores, "_CORES", 2)
        monkeypatch.setattr(cores, "_pool", pool)
        other = pool.submit(is_free.wait, 20)

        found, _ = run_on_cores(add, {"a": np.arange(5000), "b": np.ones(5000)}, 5000)

        assert not other.done()
        is_free.set()
    assert found.tolist() == list(range(1, 5001))
