"""Gather what the page of one prediction shows, from its stored row and the served contract."""

import json
from collections.abc import Mapping
from typing import Any

from server.answers import beyond
from server.contract import Contract
from server.explained import Bound
from server.pages.places import place_row
from server.pages.waterfall import Contributions, Waterfall, draw_waterfall

_CONTRIBUTIONS, _BASE = "contributions", "base_values"
_ANSWER = ("label", "value", "probabilities")
_FURTHER = ("prediction_set", "interval", "novelty", "derived")


def to_page(contract: Contract, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain values that the template of one prediction draws.

    Of a row that another model answered, only what is stored with it is told: bounds, units and
    training rows in `contract` are not that model's.
    """
    outputs = row["outputs"]
    served = contract if _is_of(contract, row) else None
    tables = _tables(served, outputs)
    label, names = outputs.get("label"), list(outputs.get("probabilities") or {})
    return {
        "is_served": served is not None,
        "is_unexplained": _is_unexplained(outputs),
        "details": _details(outputs),
        "ruled_out": [name for name in names if name not in (outputs.get("prediction_set") or [])],
        "novelty": _novelty(served, row),
        "waterfalls": [(table.head, _waterfall(table, label, names, outputs)) for table in tables],
        "tables": tables,
        "is_one_head": len(tables) < len(_heads(served, outputs)),
        "units": {f.name: f.unit for f in served.explanation.features} if served else {},
        "places": place_row(served, row) if served and served.reference else [],
        "body": json.dumps(
            {**row["inputs"], **({} if row["id"] is None else {"id": row["id"]})},
            ensure_ascii=False,
        ),
    }


def _is_of(contract: Contract, row: Mapping[str, Any]) -> bool:
    return (
        (row["model_name"], row["model_version"]) == (contract.model_name, contract.model_version)
        and list(row["inputs"]) == [feature.name for feature in contract.features]
        and list(row["outputs"]) == [output.name for output in contract.outputs]
    )


def _is_unexplained(outputs: Mapping[str, Any]) -> bool:
    """Tell whether the model says more than its answer, and was asked to leave that out."""
    further = [
        value
        for name, value in outputs.items()
        if name in _FURTHER or name.endswith((_CONTRIBUTIONS, _BASE))
    ]
    return bool(further) and all(value is None for value in further)


def _details(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in outputs.items()
        if name not in _ANSWER + _FURTHER and not name.endswith((_CONTRIBUTIONS, _BASE))
    }


def _heads(served: Contract | None, outputs: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (head, contributions, base values) of each pair of outputs that is not empty."""
    if served:
        heads = [(h.head, h.contributions, h.base_values) for h in served.explanation.heads]
    else:
        prefixes = [
            name.removesuffix(_CONTRIBUTIONS) for name in outputs if name.endswith(_CONTRIBUTIONS)
        ]
        heads = [(p.rstrip("_"), f"{p}{_CONTRIBUTIONS}", f"{p}{_BASE}") for p in prefixes]
    return [
        head
        for head in heads
        if isinstance(outputs.get(head[1]), Mapping) and outputs.get(head[2]) is not None
    ]


def _tables(served: Contract | None, outputs: Mapping[str, Any]) -> list[Contributions]:
    """Return what each head says; heads that say the same are one, under the last one's name."""
    found: list[Contributions] = []
    for head, contributions, base in _heads(served, outputs):
        table = Contributions(head, outputs[contributions], outputs[base])
        same = [t for t in found if (t.added, t.base) == (table.added, table.base)]
        found = [each for each in found if each not in same] + [table]
    return found


def _waterfall(
    table: Contributions, label: str | None, names: list[str], outputs: Mapping[str, Any]
) -> Waterfall:
    added, base = table.toward(label, names)
    return draw_waterfall(added, base, outputs.get("derived") or {})


def _novelty(served: Contract | None, row: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """Return each novel quantity and how it is novel; None where the model does not say."""
    names = row["outputs"].get("novelty")
    if names is None or served is None or served.novelty is None:
        return None if names is None else [_named(name) for name in names]
    found = [
        {"feature": bound.name, "detail": beyond(served.novelty, bound, value)}
        for bound in served.novelty.columns
        if bound.name in names
        for value in [_value_of(bound, row)]
        if value is not None and _is_beyond(bound, value)
    ]
    told = {each["feature"] for each in found}
    return [*found, *(_named(name) for name in names if name not in told)]


def _named(name: str) -> dict[str, str]:
    return {"feature": name, "detail": name}


def _value_of(bound: Bound, row: Mapping[str, Any]) -> float | None:
    derived = row["outputs"].get("derived") or {}
    value: float | None = (row["inputs"] if bound.kind == "input" else derived).get(bound.name)
    return value


def _is_beyond(bound: Bound, value: float) -> bool:
    # Two bounds can have one name, of an input and of what is derived from it unchanged.
    return (bound.low is not None and value < bound.low) or (
        bound.high is not None and value > bound.high
    )
