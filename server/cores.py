"""Run a graph over many rows on all cores, a share of the rows on each."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

# Rows that are worth a thread: the survey model takes 25 ms for them.
_SHARE_ROWS = 1_000
# Rows of one run: more take as long, and memory that onnxruntime keeps.
_MOST_ROWS = 2_000
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
    at_once = _CORES * _MOST_ROWS
    if n_rows > at_once:
        parts = [
            run_on_cores(
                run,
                {name: column[start : start + at_once] for name, column in columns.items()},
                min(at_once, n_rows - start),
            )
            for start in range(0, n_rows, at_once)
        ]
        return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    n_shares = min(_CORES, n_rows // _SHARE_ROWS)
    if n_shares < 2:
        return run(dict(columns))
    ends = [n_rows * share // n_shares for share in range(n_shares + 1)]
    first, *others = (
        {name: column[start:end] for name, column in columns.items()}
        for start, end in pairwise(ends)
    )
    futures = [_pool.submit(run, share) for share in others]
    found = [run(first), *(future.result() for future in futures)]
    return [np.concatenate(arrays) for arrays in zip(*found, strict=True)]
