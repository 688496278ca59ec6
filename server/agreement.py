"""Find what does not fit in what a contract says beside its answer, before anything is answered."""

from itertools import pairwise

from server.contract import Contract
from server.explained import Distribution

_MOST = 3.5e38


def find_odd_parts(contract: Contract) -> dict[str, list[str]]:
    """Return, by what it is, the names of what contradicts the rest; nothing where all is well."""
    odd = {
        "heads of the explanation": _odd_heads(contract),
        "columns of the explanation": _odd_columns(contract),
        "bounds of novelty": _odd_bounds(contract),
        "distributions of the reference": _odd_distributions(contract),
        "importances of the evaluation": [
            head.head
            for head in contract.evaluation.heads
            if any(not 0 <= size < _MOST for row in head.importance or [] for size in row)
        ],
        "half widths": ["conformal"] if _lacks_width(contract) else [],
    }
    return {what: names for what, names in odd.items() if names}


def _odd_heads(contract: Contract) -> list[str]:
    roles = {output.name: output.role for output in contract.outputs}
    return [
        head.head or head.contributions
        for head in contract.explanation.heads
        if roles.get(head.contributions) != "contributions"
        or roles.get(head.base_values) != "base_values"
        or "derived" not in roles
    ]


def _odd_columns(contract: Contract) -> list[str]:
    columns, names = contract.explanation.columns, contract.class_names
    wanted = [names, names[1:]] if len(names) == 2 else [names]
    return [] if columns in wanted or not contract.explanation.heads else columns or ["none"]


def _odd_bounds(contract: Contract) -> list[str]:
    if contract.novelty is None:
        return []
    # Reasons and bounds are told by their place: the derived features first, in their order.
    derived = [("derived", feature.name) for feature in contract.explanation.features]
    found = [(bound.kind, bound.name) for bound in contract.novelty.columns]
    inputs = {("input", feature.name) for feature in contract.features}
    misplaced = [] if found[: len(derived)] == derived else [name for _, name in derived]
    return misplaced or [name for kind, name in found[len(derived) :] if (kind, name) not in inputs]


def _odd_distributions(contract: Contract) -> list[str]:
    known = contract.reference
    groups = [known.inputs, known.derived, known.scores] if known else []
    return [name for group in groups for name, each in group.items() if not _is_sound(each)]


def _is_sound(known: Distribution) -> bool:
    if known.edges is None:
        return len(known.shares) == len(known.categories or [])
    rises = all(first < second for first, second in pairwise(known.edges))
    fits = all(abs(edge) < _MOST for edge in known.edges)
    return rises and fits and len(known.shares) == len(known.edges) + 1


def _lacks_width(contract: Contract) -> bool:
    conformal = contract.conformal
    return not contract.class_names and conformal is not None and conformal.half_width is None
