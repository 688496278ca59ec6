"""Visit every part of a parsed statement: what is on no list of what is allowed ends it."""

import functools
from collections.abc import Sequence
from typing import Any

import duckdb

from server.sql.functions import ALLOWED, ALLOWED_TABLES
from server.sql.growth import costly_argument

_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_TABLES = {"BASE_TABLE", "TABLE_FUNCTION", "SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY"}
_TABLES |= {"PIVOT", "SHOW_REF"}
_MODIFIERS = {"ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"}
_MODIFIERS |= {"ORDER_DEFAULT", "ASCENDING", "DESCENDING"}
_TYPES = _NODES | _TABLES | _MODIFIERS
_CLASSES = {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION"}
_CLASSES |= {"CONSTANT", "FUNCTION", "OPERATOR", "PARAMETER", "POSITIONAL_REFERENCE", "STAR"}
_CLASSES |= {"SUBQUERY", "TYPE", "WINDOW"}
# Names that DuckDB takes for calls where no column bears them.
_CALLS_WITHOUT_PARENTHESES = {"current_catalog", "current_database", "current_role"}
_CALLS_WITHOUT_PARENTHESES |= {"current_schema", "current_user", "session_user", "user"}
# DuckDB makes room for the whole sample at once, and does not count it.
_MAX_SAMPLE = 100_000
_NOWHERE = 2**64 - 1


class NotAllowed(Exception):
    """A part that may not be there, and the byte of the statement where it is, if known."""

    def __init__(self, detail: str, byte: int | None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.byte = byte


class Walk:
    """Visits every part of a parsed statement; what is on no list ends it."""

    def __init__(self, published: Sequence[str]) -> None:
        self._published = frozenset(published)

    def node(self, part: Any, scope: frozenset[str]) -> None:
        """Visit `part`, where the names in `scope` are those of WITH."""
        if isinstance(part, list):
            for item in part:
                self.node(item, scope)
        elif isinstance(part, dict):
            self._kind(part)
            self._function(part, ALLOWED)
            self._names(part, scope)
            if "cte_map" in part:
                scope = self._with(part["cte_map"]["map"], scope)
            if part.get("type") == "RECURSIVE_CTE_NODE":
                scope |= {part["cte_name"].casefold()}
            for key, value in part.items():
                if key == "function" and part.get("type") == "TABLE_FUNCTION":
                    self._function(value, ALLOWED_TABLES)
                    self.node(value["arguments"], scope)
                elif key != "cte_map":
                    self.node(value, scope)

    def _with(self, entries: Any, scope: frozenset[str]) -> frozenset[str]:
        for entry in entries:
            name = entry["key"].casefold()
            if name in self._published or name in _names_of_catalog():
                self._refuse(f"WITH cannot take the name {entry['key']}", entry["value"])
            if entry["value"].get("materialized") == "CTE_MATERIALIZE_NEVER":
                self._refuse("NOT MATERIALIZED is not available here", entry["value"])
            self.node(entry["value"], scope)
            scope |= {name}
        return scope

    def _kind(self, part: dict[str, Any]) -> None:
        if "class" in part:
            if part["class"] not in _CLASSES:
                what = {"LAMBDA": "a lambda or a list comprehension"}.get(part["class"])
                self._refuse(f"{what or part['class']} is not available here", part)
        elif isinstance(part.get("type"), str) and part["type"] not in _TYPES:
            self._refuse(f"{part['type'].removesuffix('_NODE')} is not available here", part)
        if part.get("type") == "SHOW_REF" and not part.get("query"):
            self._refuse(f"DESCRIBE and SUMMARIZE take {_listed(self._published)}", part)

        sample = part.get("sample")
        if sample and not sample["is_percentage"] and sample["sample_size"]["value"] > _MAX_SAMPLE:
            self._refuse(f"a sample has at most {_MAX_SAMPLE:,} rows", part)

    def _function(self, part: dict[str, Any], allowed: frozenset[str]) -> None:
        name = part.get("function_name")
        if name is not None and name.casefold() not in allowed:
            where = "outside FROM" if name.casefold() in ALLOWED_TABLES else "here"
            self._refuse(f"the function {name} is not available {where}", part)
        if wrong := costly_argument(part):
            self._refuse(wrong, part)

    def _names(self, part: dict[str, Any], scope: frozenset[str]) -> None:
        if part.get("type") == "BASE_TABLE":
            name = part["table_name"].casefold()
            is_plain = not part["schema_name"] and not part["catalog_name"]
            if not is_plain or name not in self._published | scope:
                told = ".".join(
                    part[key] for key in ("catalog_name", "schema_name", "table_name") if part[key]
                )
                self._refuse(f"{told} is not published: there is {_listed(self._published)}", part)
        if part.get("class") == "COLUMN_REF" and len(part["column_names"]) == 1:
            name = part["column_names"][0]
            if name.casefold() in _CALLS_WITHOUT_PARENTHESES:
                self._refuse(
                    f"{name} is not available here; a column of that name is predictions.{name}",
                    part,
                )

    def _refuse(self, detail: str, part: dict[str, Any]) -> None:
        at = part.get("query_location", _NOWHERE)
        raise NotAllowed(detail, None if at == _NOWHERE else at)


@functools.cache
def _names_of_catalog() -> frozenset[str]:
    with duckdb.connect(config={"threads": 1}) as empty:
        found = empty.execute("SELECT view_name FROM duckdb_views()").fetchall()
    return frozenset(name.casefold() for (name,) in found)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
