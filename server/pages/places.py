"""Place every input and derived feature of one stored row among the training rows."""

from collections.abc import Mapping
from typing import Any

from server.contract import Contract
from server.pages.distribution import Place, place_value


def place_row(contract: Contract, row: Mapping[str, Any]) -> list[tuple[str, list[Place]]]:
    """Return inputs and derived features under their titles, each with where its value lies.

    A derived feature that is an input passed on unchanged is left out.
    """
    inputs, derived = row["inputs"], row["outputs"].get("derived") or {}
    groups = [
        ("Inputs", _inputs(contract, inputs)),
        ("Derived", _derived(contract, inputs, derived)),
    ]
    return [(title, places) for title, places in groups if places]


def _inputs(contract: Contract, inputs: Mapping[str, Any]) -> list[Place]:
    known = contract.reference.inputs if contract.reference else {}
    return [
        place_value(f.name, f.unit, inputs[f.name], known[f.name], ends=f.range or (None, None))
        for f in contract.features
        if f.name in known
    ]


def _derived(
    contract: Contract, inputs: Mapping[str, Any], derived: Mapping[str, Any]
) -> list[Place]:
    known = contract.reference.derived if contract.reference else {}
    novelty = contract.novelty
    bounds = [bound for bound in novelty.columns if bound.kind == "derived"] if novelty else []
    ends = {bound.name: (bound.low, bound.high) for bound in bounds}
    return [
        place_value(
            f.name,
            f.unit,
            derived[f.name],
            known[f.name],
            ends=ends.get(f.name, (None, None)),
            outside=novelty.quantiles[0] if novelty else 0,
        )
        for f in contract.explanation.features
        if f.name in derived
        and f.name in known
        and not (f.name in inputs and inputs[f.name] == derived[f.name])
    ]
