"""What is measured: how often, how long, on which rows, beside which raw onnxruntime."""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime

from benchmarks.instances import InstanceMaker
from benchmarks.peers.bodies import Rows
from benchmarks.peers.contenders import OURS

CORES = len(os.sched_getaffinity(0))
_DIFFERENT_ROWS = 1_000
# Outputs that a graph computes only where its input `explain` is true.
_ANSWER = ["label", "probabilities"]


@dataclass(frozen=True)
class Plan:
    """The settings of one run; `rows` are different ones, repeated where more are asked for.

    `is_short` leaves out what only makes figures steadier.
    """

    rounds: int
    seconds: int
    connections: Sequence[int]
    sizes: Sequence[int]
    is_short: bool
    cache: Path
    scratch: Path
    rows: Rows
    model_name: str

    def some_rows(self, n_rows: int) -> Rows:
        """Return so many rows."""
        return [self.rows[number % len(self.rows)] for number in range(n_rows)]

    def model(self, name: str) -> Path:
        """Return the path of one of the forms of the model."""
        return self.cache / "model" / name


def make_rows(path: Path) -> tuple[Rows, str]:
    """Return rows in the likeness of the golden ones of a model file, and the model's name."""
    metadata = _session(path, 1).get_modelmeta().custom_metadata_map
    contract = {name: json.loads(metadata[name]) for name in ("golden", "features", "model_name")}
    maker = InstanceMaker(contract, Random(0))  # noqa: S311  # test rows, not secrets
    names = [feature["name"] for feature in contract["features"]]
    made = (maker.make(missing_share=0) for _ in range(_DIFFERENT_ROWS))
    # A row that lacks a value is none that every contender takes.
    rows = [{name: row[name] for name in names} for row in made if set(names) <= set(row)]
    return [row for row in rows if None not in row.values()], contract["model_name"]


class Raw:
    """onnxruntime alone on the same rows for the same outputs, on all cores.

    Parameters
    ----------
    path : Path
        The model file.
    explain : bool or None
        What its input `explain` gets; None where it has none.
    """

    def __init__(self, path: Path, *, explain: bool | None) -> None:
        self._single, self._all = _session(path, 1), _session(path, CORES)
        self._switch = {} if explain is None else {"explain": np.array(explain)}
        everything = [output.name for output in self._single.get_outputs()]
        self._names = everything if explain else _ANSWER

    def probabilities(self, rows: Rows) -> Any:
        """Return ndarray of shape (n_rows, n_classes)."""
        return self._single.run(["probabilities"], _columns(rows) | self._switch)[0]

    def ways(self, rows: Rows) -> list[Any]:
        """Return callables that compute all rows: in one session of all cores, and in shares."""
        columns, n_rows = _columns(rows), len(rows)
        share = -(-n_rows // CORES)
        parts = [
            {name: column[first : first + share] for name, column in columns.items()}
            for first in range(0, n_rows, share)
        ]

        def shared() -> None:
            with ThreadPoolExecutor(CORES) as threads:
                list(threads.map(self._run_part, parts))

        single = len(parts) == 1
        return [
            lambda: self._all.run(self._names, columns | self._switch),
            (lambda: self._run_part(columns)) if single else shared,
        ]

    def _run_part(self, columns: dict[str, Any]) -> None:
        self._single.run(self._names, columns | self._switch)


def _columns(rows: Rows) -> dict[str, Any]:
    return {name: np.array([[row[name]] for row in rows], np.float32) for name in rows[0]}


def _session(path: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # An input with a default is warned of.
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def raw_of(plan: Plan, contender_name: str, form_name: str) -> Raw:
    """Return what computes as much as the contender does for a body of this format."""
    if contender_name != OURS.name:
        return Raw(plan.model("plain.onnx"), explain=None)
    # The protocol's clients are told why where they ask for it; the others are stored with it.
    return Raw(plan.model("full.onnx"), explain=not form_name.startswith("V2"))
