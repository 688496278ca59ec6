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

from server.sql.growth import MAX_GROWTH, growth
from server.sql.tree import NotAllowed, Walk

# A statement is written by people; DuckDB's parser takes seconds and gigabytes for 10,000
# parentheses in a row, and cannot be interrupted.
MAX_CHARACTERS = 20_000
MAX_DEPTH = 50

_parser_lock = threading.Lock()


@functools.cache
def _parser() -> duckdb.DuckDBPyConnection:
    # A database of its own, made once somebody asks: it takes 6 MB.
    return duckdb.connect(config={"threads": 1, "python_enable_replacements": False})


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
        Walk(published).node(tree["statements"][0]["node"], frozenset())
    except NotAllowed as error:
        at = None if error.byte is None else _characters(statement, error.byte)
        raise SqlRefused(error.detail, at) from None
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
            text: Any = _parser().execute("SELECT json_serialize_sql($1)", [statement]).fetchone()
        tree = json.loads(text[0])
    except (duckdb.Error, UnicodeError) as error:
        raise SqlRefused(f"this cannot be read: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise SqlRefused("this is nested too deeply") from None
    if not tree["error"]:
        return tree
    if tree["error_type"] != "parser":
        told = "only one SELECT can run here; FROM (PIVOT t ON c IN (1) USING count(*)) is one"
        raise SqlRefused(f"{told} ({tree['error_message']})")
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
