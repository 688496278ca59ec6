"""Name, in SQL, the parts of what is stored in arrays."""

import math
from collections.abc import Sequence

from server.contract import Contract, Output


def quoted(name: str) -> str:
    """Return `name` as an SQL identifier, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` as SQL has a text, whatever stands in it."""
    return "'" + text.replace("'", "''") + "'"


def show(contract: Contract, output: Output) -> str:
    """Return the SQL of an output as it is read: with the names of its parts."""
    column, explanation = quoted(output.name), contract.explanation
    parts = [f"{column}[{number}]" for number in range(1, math.prod(output.shape) + 1)]
    features = [feature.name for feature in explanation.features]
    match output.role:
        case "probabilities":
            return _struct(column, contract.class_names, parts)
        case "base_values":
            return _by_class(column, explanation.columns, parts)
        case "contributions":
            n = len(parts) // len(features)
            each = [parts[start : start + n] for start in range(0, len(parts), n)]
            return _struct(
                column, features, [_by_class(column, explanation.columns, own) for own in each]
            )
        case "derived":
            known = [f"CASE WHEN NOT isnan({part}) THEN {part} END" for part in parts]
            return _struct(column, features, known)
        case "interval":
            return _struct(column, ["low", "high"], parts)
        case "prediction_set":
            return _chosen(column, contract.class_names)
        case "novelty" if contract.novelty:
            return _chosen(column, [each.name for each in contract.novelty.columns])
    return column


def _struct(column: str, names: Sequence[str], parts: Sequence[str]) -> str:
    fields = ", ".join(
        f"{quoted(name)} := {part}" for name, part in zip(distinct(names), parts, strict=True)
    )
    return f"CASE WHEN {column} IS NOT NULL THEN struct_pack({fields}) END"


def _by_class(column: str, names: Sequence[str], parts: Sequence[str]) -> str:
    """Return a struct by class, or the number itself where there is but one."""
    return parts[0] if len(parts) == 1 else _struct(column, names, parts)


def _chosen(column: str, names: Sequence[str]) -> str:
    texts = ", ".join(map(literal, names))
    return f"list_where([{texts}], {column}::BOOLEAN[])"


def distinct(names: Sequence[str]) -> list[str]:
    """Number the names that SQL takes for one it has seen: it does not tell x from X."""
    seen: set[str] = set()
    distinct = []
    for name in names:
        said, number = name, 1
        while said.lower() in seen:
            number += 1
            said = f"{name} ({number})"
        seen.add(said.lower())
        distinct.append(said)
    return distinct
