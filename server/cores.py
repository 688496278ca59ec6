"""Run a graph over many rows on all cores, a run after the other on each."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

# Rows of one run, which the survey model takes 13 ms for: fewer are not worth a thread, and more
# take memory that onnxruntime keeps, and leave cores waiting for the last one.
_RUN_ROWS = 1_000
_CORES = os.cpu_count() or 1
# The thread that asks works as well.
_pool = ThreadPoolExecutor(max(1, _CORES - 1), thread_name_prefix="graph")


def run_on_cores(
    run: Callable[[dict[str, Any]], list[Any]], columns: Mapping[str, Any], n_rows: int
) -> list[Any]:
    """Return what `run` returns for all rows: each row is answered by itself.

    Parameters
    ----------
    run : callable
        Takes columns of some rows, and returns ndarrays of as many; called from several threads.
    columns : mapping of str to ndarray of shape (n_rows, ...)
    """
    n_runs = n_rows // _RUN_ROWS
    if n_runs < 2:
        return run(dict(columns))
    found: list[list[Any]] = [[]] * n_runs
    places = iter(range(n_runs))

    def work() -> None:
        for place in places:  # whoever is free takes the next
            start, end = (n_rows * at // n_runs for at in (place, place + 1))
            found[place] = run({name: column[start:end] for name, column in columns.items()})

    helpers = [_pool.submit(work) for _ in range(min(_CORES, n_runs) - 1)]
    work()
    for helper in helpers:
        # One that has not begun works for somebody else, and there is nothing left to do here.
        if not helper.cancel():
            helper.result()
    return [np.concatenate(arrays) for arrays in zip(*found, strict=True)]
