"""What a document is about: a served model, its limits, and a row of its own with its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.answers import to_answers
from server.config import Settings
from server.contract import Contract
from server.model import Model
from server.pages.home import example_instance

# An id of version 7, as the log gives them, and the time in it.
EXAMPLE_ID = "01a200ef-93e5-7c9c-87cf-7fcb864c0d58"
EXAMPLE_TIME = "2026-11-22T01:47:10.693952Z"


@dataclass(frozen=True)
class Subject:
    """The contract, the settings, and an example of what is asked and answered."""

    contract: Contract
    # As answers name it, and the versions of it that are served.
    model: dict[str, str]
    versions: list[str]
    settings: Settings
    instance: dict[str, Any]
    said: dict[str, Any]

    @property
    def answer(self) -> dict[str, Any]:
        """The answer to the example."""
        return {"model": self.model, "predicted_at": EXAMPLE_TIME, **self.prediction}

    @property
    def prediction(self) -> dict[str, Any]:
        """The answer to the example, as one of a list."""
        return {"prediction_id": EXAMPLE_ID, **self.said, "warnings": []}


def to_subject(model: Model, others: Sequence[Model], settings: Settings) -> Subject:
    """Ask the model what it says of a golden row of its own."""
    contract = model.contract
    instance = example_instance(contract)
    columns = {f.name: f.to_array([instance[f.name]]) for f in contract.features}
    values = {name: [value] for name, value in instance.items()}
    outputs = model.predict(columns).outputs
    (said,) = to_answers(contract, values, outputs, reasons=True)
    contracts = [contract, *(other.contract for other in others)]
    versions = [each.model_version for each in contracts if each.model_name == contract.model_name]
    return Subject(contract, model.named, versions, settings, instance, said)
