"""Bound how much bigger a statement becomes when DuckDB takes its short forms apart.

Some of that happens while the statement is bound or in one call of a function, where DuckDB
neither looks at the clock nor counts the memory; it has to be refused before.
"""

from collections.abc import Iterator
from math import prod
from typing import Any

# An upper bound of copies: 4,096 bind within a tenth of a second.
MAX_GROWTH = 4_096

# Values that hold their arguments, each as often as it is named.
_HOLDERS = {"struct_pack", "row", "list_value", "list_pack", "array_value", "union_value"}
_HOLDERS |= {"json_object", "json_array"}
# Text within text: quotes are doubled.
_QUOTING = {"to_json", "row_to_json", "json_object", "json_array"}
# Functions that write one argument many times, and which one it is; text that people write there
# is short.
_REPEATING = {"replace": 2, "regexp_replace": 2, "array_to_string": 1, "string_agg": 1}
_REPEATING |= {"listagg": 1, "group_concat": 1, "concat_ws": 0, "strftime": 1}
MAX_REPEATED = 100
# Functions that compare two lists value by value: one of them is written out, and so is short.
_COMPARING = {"list_has_any", "list_has_all", "array_has_any", "array_has_all", "@>", "<@", "&&"}


def growth(tree: Any) -> float:
    """Return an upper bound of the copies that `tree`, a parsed statement, makes of its parts."""
    parts = list(_parts(tree))
    names = {name.casefold() for part in parts for name in _names_of_table(part)}
    factors = [_factor(part, names) for part in parts]
    return prod(factors, start=1.0)


def costly_argument(part: dict[str, Any]) -> str | None:
    """Return what is wrong with the arguments of `part`, a call, for which they may cost much."""
    name = part.get("function_name", "").casefold()
    if name in _COMPARING and not any(_is_written_out(each) for each in part["arguments"]):
        return f"{name} takes one of its lists written out: ['a', 'b']"
    if name not in _REPEATING or len(part["arguments"]) <= _REPEATING[name]:
        return None
    candidates = [argument["expression"] for argument in part["arguments"]]
    # strftime takes its two arguments in either order.
    texts = candidates if name == "strftime" else [candidates[_REPEATING[name]]]
    lengths = [len(t["literal"].get("text") or "") for t in texts if t["class"] == "CONSTANT"]
    if lengths and max(lengths) <= MAX_REPEATED:
        return None
    return f"{name} takes its text as a constant of at most {MAX_REPEATED} characters here"


def _is_written_out(argument: dict[str, Any]) -> bool:
    classes = {part["class"] for part in _parts(argument) if "class" in part}
    return classes <= {"CONSTANT", "PARAMETER", "FUNCTION"} and all(
        part["function_name"] == "list_value"
        for part in _parts(argument)
        if "function_name" in part
    )


def _parts(part: Any) -> Iterator[dict[str, Any]]:
    waiting = [part]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _own_parts(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the parts of a SELECT that belong to no SELECT within it."""
    waiting = [part]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(v for v in part.values() if not _is_node(v))
        elif isinstance(part, list):
            waiting.extend(v for v in part if not _is_node(v))


def _is_node(part: Any) -> bool:
    return isinstance(part, dict) and str(part.get("type", "")).endswith("_NODE")


def _names_of_table(part: dict[str, Any]) -> list[str]:
    if part.get("type") in ("BASE_TABLE", "SUBQUERY", "TABLE_FUNCTION", "PIVOT", "EXPRESSION_LIST"):
        return [name for name in (part.get("alias"), part.get("table_name")) if name]
    return []


def _factor(part: dict[str, Any], names: set[str]) -> float:
    if part.get("type") == "SELECT_NODE":
        return _widening(part, names) * _aliases(part)
    name = part.get("function_name", "").casefold()
    factor = 1.0
    if name in _HOLDERS:
        factor *= max(1, sum(1 for each in _parts(part["arguments"]) if _is_column(each)))
    if name in _QUOTING:
        factor *= 2
    if name in ("replace", "regexp_replace") and len(part["arguments"]) > 2:
        text = part["arguments"][2]["expression"].get("literal", {}).get("text") or ""
        factor *= max(1, len(text) + (name == "regexp_replace"))
    return factor


def _widening(node: dict[str, Any], names: set[str]) -> float:
    """Bound the columns of `node` by those of its tables: stars, whole rows, joins."""
    own = list(_own_parts(node["select_list"]))
    whole = sum(
        1
        for part in own
        if part.get("class") == "STAR"
        or (_is_column(part) and part["column_names"][-1].casefold() in names)
    )
    if not whole:
        return 1.0
    tables = [
        part
        for part in _own_parts(node["from_table"])
        if _names_of_table(part) or part.get("type") == "SUBQUERY"
    ]
    return float(whole * max(1, len(tables)))


def _aliases(node: dict[str, Any]) -> float:
    """Bound the size of an expression after the aliases in it are put in: they may nest."""
    sizes: dict[str, float] = {}
    largest = 1.0
    for item in node["select_list"]:
        size = _size(item, sizes)
        largest = max(largest, size)
        if alias := item.get("alias", "").casefold():
            sizes[alias] = max(size, sizes.get(alias, 1.0))
    return largest


def _size(item: Any, sizes: dict[str, float]) -> float:
    columns = [part["column_names"][0].casefold() for part in _parts(item) if _is_column(part)]
    # One that builds on nothing counts as one, however long it is: it is written out.
    return max(1.0, sum(sizes.get(name, 1.0) - 1.0 for name in columns) + _uses(columns, sizes))


def _uses(columns: list[str], sizes: dict[str, float]) -> float:
    return float(sum(1 for name in columns if name in sizes))


def _is_column(part: dict[str, Any]) -> bool:
    return part.get("class") == "COLUMN_REF"
