"""The columns that the table of predictions may have, and what stands in their cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.storage.fields import Source

# Columns that say several things at once, with the field that sorts them.
_MADE = {"time": "time", "model": "version", "id": "id"}
_TITLES = {
    **{"time": "Time", "model": "Model", "id": "id", "prediction": "Prediction"},
    **{"p": "Probability", "ms": "Model's ms", "request": "Request", "instance": "Instance"},
    **{"set": "Set size", "novelty": "Novelty", "warnings": "Warnings"},
}
# A page of a model with a hundred inputs begins with these; the others can be chosen.
_INPUTS_AT_FIRST = 12


@dataclass(frozen=True)
class LogColumn:
    """One column: its key in an address, its head, and the field that sorts it."""

    key: str
    title: str
    field: str
    is_input: bool

    def cell(self, row: Mapping[str, Any]) -> Any:
        """Return what a row has here; None where it is missing, "" where there is no such thing."""
        kind, _, name = self.key.partition(".")
        outputs = row["outputs"]
        probabilities = outputs.get("probabilities") or {}
        match kind:
            case "in":
                return row["inputs"].get(name, "")
            case "p":
                return probabilities.get(name) if name else max(probabilities.values(), default="")
            case "out":
                return outputs.get(name, "")
            case "interval":
                return (outputs.get("interval") or {}).get(name, "")
            case "set":
                return len(outputs.get("prediction_set") or ())
            case "novelty":
                return ", ".join(outputs.get("novelty") or ())
            case "warnings":
                return len(row["warnings"])
        return row[{"ms": "inference_ms", "request": "request_id"}.get(kind, kind)]


def to_columns(sources: Sequence[Source]) -> dict[str, LogColumn]:
    """Return every column there may be, by key, in the order in which they stand."""
    fields = {name: None for source in sources for name in source.fields}
    answer = "value" if "label" not in fields and "value" in fields else "label"
    keys = {**_MADE, "prediction": answer}
    keys |= {name: name for name in fields if name.startswith("in.")}
    shown = {"version", "label", "value"}
    keys |= {name: name for name in fields if name not in keys and name not in shown}
    return {
        key: LogColumn(key, title_of(key), field, key.startswith("in."))
        for key, field in keys.items()
    }


def default_columns(columns: Mapping[str, LogColumn], own_inputs: Sequence[str]) -> list[str]:
    """Return what is shown where nothing is chosen: the inputs of the served model and the rest."""
    inputs = [f"in.{name}" for name in own_inputs]
    inputs += [key for key in columns if key.startswith("in.") and key not in inputs]
    return [*_MADE, "prediction", *inputs[:_INPUTS_AT_FIRST]]


def title_of(key: str) -> str:
    """Return what a column, or an axis, is called."""
    kind, _, name = key.partition(".")
    if kind == "p" and name:
        return f"p({name})"
    return _TITLES.get(key, name if kind in ("in", "out") else key)
