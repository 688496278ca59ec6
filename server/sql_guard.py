"""Let a statement through only if it reads the published views and nothing else.

DuckDB's own parser gives the tree; what stands in it must be on a list of what is allowed.
"""

import functools
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import duckdb

from server.sql_functions import ALLOWED, ALLOWED_TABLES
from server.sql_growth import MAX_GROWTH, costly_argument, growth

# A statement is written by people; DuckDB's parser takes seconds and gigabytes for 10,000
# parentheses in a row, and cannot be interrupted.
MAX_CHARACTERS = 20_000
MAX_DEPTH = 50

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

_parser = duckdb.connect(config={"threads": 1, "python_enable_replacements": False})
_parser_lock = threading.Lock()


class SqlRefused(Exception):
    """A statement that is wrong, not allowed or too much; `position` is a character in it."""

    def __init__(
        self, detail: str, position: int | None = None, status: int = HTTPStatus.BAD_REQUEST
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.position = position
        self.status = status


@dataclass(frozen=True)
class Query:
    """One SELECT that may run: its text without a closing semicolon, the names it wants bound."""

    sql: str
    parameters: frozenset[str]


def check(statement: str, published: Sequence[str]) -> Query:
    """Return the one SELECT that `statement` holds, if it may run.

    Raises
    ------
    SqlRefused
        If it is too long, not SQL, not one SELECT, or names what is not published.
    """
    _check_shape(statement)
    if not statement.strip():
        raise SqlRefused("write a SELECT statement")
    tree = _parse(statement)
    if len(tree["statements"]) != 1:
        raise SqlRefused("one statement at a time, please: this holds several")
    try:
        _Walk(statement, published).node(tree["statements"][0]["node"], frozenset())
    except RecursionError:
        raise SqlRefused("this is nested too deeply") from None
    if growth(tree) > MAX_GROWTH:
        raise SqlRefused(
            "this grows beyond measure: aliases, stars, structs or replacements build on each other"
        )
    whole = _without_semicolon(statement)
    if whole != statement:
        return check(whole, published)  # what runs is what was looked at
    (parsed,) = duckdb.extract_statements(statement)
    return Query(statement, frozenset(parsed.named_parameters))


def _check_shape(statement: str) -> None:
    if len(statement) > MAX_CHARACTERS:
        raise SqlRefused(f"a statement has at most {MAX_CHARACTERS:,} characters")
    if "\0" in statement:
        raise SqlRefused("a NUL character is no part of SQL", statement.index("\0"))
    depth = 0
    for position, character in enumerate(statement):
        depth += (character in "([{") - (character in ")]}")
        if depth > MAX_DEPTH:
            raise SqlRefused(f"this is nested deeper than {MAX_DEPTH} brackets", position)


def _parse(statement: str) -> Any:
    try:
        with _parser_lock:
            text: Any = _parser.execute("SELECT json_serialize_sql($1)", [statement]).fetchone()
        tree = json.loads(text[0])
    except (duckdb.Error, UnicodeError) as error:
        raise SqlRefused(f"this cannot be read: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise SqlRefused("this is nested too deeply") from None
    if not tree["error"]:
        return tree
    if tree["error_type"] != "parser":
        raise SqlRefused(
            "only one SELECT can run here, in its plain form; PIVOT works as FROM (PIVOT .. ON .. "
            f"IN (..) USING ..) ({tree['error_message']})"
        )
    position = tree.get("position")
    at = _characters(statement, int(position)) if position is not None else None
    raise SqlRefused(f"Parser Error: {tree['error_message']}", at)


def _without_semicolon(statement: str) -> str:
    """Return `statement` up to the semicolon that ends it; behind that, comments may stand."""
    text = statement.encode()
    ends = [at for at, _ in duckdb.tokenize(statement) if text[at : at + 1] == b";"]
    return text[: ends[0]].decode() if ends else statement


def _characters(statement: str, n_bytes: int) -> int:
    return len(statement.encode()[:n_bytes].decode(errors="ignore"))


class _Walk:
    """Visits every part of a parsed statement; what is on no list ends it."""

    def __init__(self, statement: str, published: Sequence[str]) -> None:
        self._statement = statement
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
                    part[key]
                    for key in ("catalog_name", "schema_name", "table_name")
                    if part[key]
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
        raise SqlRefused(detail, None if at == _NOWHERE else _characters(self._statement, at))


@functools.cache
def _names_of_catalog() -> frozenset[str]:
    with _parser_lock:
        found = _parser.execute(
            "SELECT view_name FROM duckdb_views() UNION SELECT table_name FROM duckdb_tables()"
        ).fetchall()
    return frozenset(name.casefold() for (name,) in found)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
