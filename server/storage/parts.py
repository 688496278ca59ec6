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
        case "prediction_set" | "novelty":
            texts = ", ".join(map(literal, choices(contract, output)))
            return f"list_where([{texts}], {column}::BOOLEAN[])"
    return column


def choices(contract: Contract, output: Output) -> list[str]:
    """Return what an output chooses among, by column; nothing where it is another kind of it."""
    if output.role == "prediction_set":
        return contract.class_names
    columns = contract.novelty.columns if contract.novelty and output.role == "novelty" else []
    return [each.name for each in columns]


def _struct(column: str, names: Sequence[str], parts: Sequence[str]) -> str:
    fields = ", ".join(
        f"{quoted(name)} := {part}" for name, part in zip(distinct(names), parts, strict=True)
    )
    return f"CASE WHEN {column} IS NOT NULL THEN struct_pack({fields}) END"


def _by_class(column: str, names: Sequence[str], parts: Sequence[str]) -> str:
    """Return a struct by class, or the number itself where there is but one."""
    return parts[0] if len(parts) == 1 else _struct(column, names, parts)


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
