"""What is handed to the prediction log: the rows of a request, and where those of a model go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NotRequired, Self, TypedDict

from server.contract import Contract
from server.storage.ids import PredictionIds
from server.storage.layout import Table
from server.storage.tasks import Part
from server.storage.writing import BATCH_ROWS, to_texts


@dataclass(frozen=True)
class Stored:
    """What the log gave to the rows of one request."""

    prediction_ids: PredictionIds
    predicted_at: datetime

    def at(self, places: Sequence[int]) -> Self:
        """Return that of some of the rows."""
        return replace(self, prediction_ids=self.prediction_ids.at(places))


@dataclass(frozen=True)
class Target:
    """Where the rows of one model are stored, and what each of them says of it."""

    table: Table
    model: Mapping[str, str | None]

    @property
    def shadow(self) -> Self:
        """Where its rows are stored that were answered to nobody."""
        return replace(self, table=self.table.shadow)


class Rows(TypedDict):
    """The rows of one request, or of several that are stored together.

    `values` holds one sequence of length n_rows a feature, None for what is missing; `outputs` one
    ndarray of shape (n_rows, ...) an output of the contract, and what is not there is stored as
    NULL. `request_id` and `instance` may be one for all; rows of one request are counted.
    `numbered` is what `number` gave to them; `target` says which model they are of, unless it is
    the one that the log was opened for.
    """

    request_id: str | Sequence[str]
    ids: Sequence[str | None]
    values: Mapping[str, Sequence[Any]]
    outputs: Mapping[str, Any]
    warnings: Sequence[Any]
    inference_ms: float
    instance: NotRequired[int | Sequence[int]]
    numbered: NotRequired[Stored]
    target: NotRequired[Target]


def to_target(table: Table, contract: Contract, sha256: str | None) -> Target:
    """Return where the rows of a model file go whose table is made."""
    return Target(
        table,
        {
            "model_name": contract.model_name,
            "model_version": contract.model_version,
            "model_sha256": sha256,
        },
    )


def to_part(rows: Rows, target: Target) -> Part:
    """Return the rows as they are written: few as JSON, many as columns."""
    n_rows = len(rows["ids"])
    columns = {
        "prediction_id": rows["numbered"].prediction_ids,
        "predicted_at": rows["numbered"].predicted_at,
        "request_id": rows["request_id"],
        "instance": rows.get("instance", range(n_rows)),
        "id": rows["ids"],
        **target.model,
        **rows["values"],
        **rows["outputs"],
        "warnings": rows["warnings"],
        "inference_ms": rows["inference_ms"],
    }
    few = to_texts(target.table, columns, n_rows) if n_rows < BATCH_ROWS else None
    return Part(target.table, n_rows, few, columns)
