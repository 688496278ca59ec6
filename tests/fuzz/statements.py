"""Statements of SQL: what the guard lets through is run where nothing else holds it back.

The database of this target lets everybody read files, settings and variables, and write; in each of
them stands a mark. What the guard takes must be one SELECT of the published views alone, show no
mark, and leave everything as it was.
"""

import functools
import os
import tempfile
import threading
from pathlib import Path

import duckdb

from server.sql.functions import ALLOWED, ALLOWED_TABLES
from server.sql.guard import SqlRefused, check
from tests.fuzz.choices import Choices
from tests.fuzz.expected import attempt

MARK = "MARK4711"
PUBLISHED = ("predictions", "labels", "judged")
# Longest time for one statement, in seconds; beyond that it is interrupted, as the server does.
TIME_S = 2.0
ROWS = 50

_TABLES = [
    *PUBLISHED,
    "predictions p",
    "labels AS l(a, b)",
    '"predictions"',
    "secret",
    "main.secret",
]
_TABLES += ["'mark.csv'", "'mark.parquet'", '"mark.csv"', "mark.main.secret", "duckdb_settings()"]
_TABLES += ["information_schema.tables", "pg_catalog.pg_class", "sqlite_master", "n", "range(3)"]
_TABLES += ["unnest([1, 2]) AS u(v)", "(VALUES (1), (2)) AS t(v)", "read_text('mark.csv')"]
_TABLES += ["read_csv('*.csv')", "glob('*')", "query('FROM secret')", "query_table('secret')"]
_TABLES += ["(DESCRIBE secret)", "(SHOW TABLES)", "(SUMMARIZE labels)", "(SHOW ALL TABLES)"]
_TABLES += ["(FROM secret)", "(PIVOT labels ON label USING count(*))", "(UNPIVOT labels ON id)"]
_LEAVES = ["1", "'a'", "NULL", "label", "id", "score", "p", "l", "predictions", "predictions.label"]
_LEAVES += [
    "*",
    "secret",
    "COLUMNS('.*')",
    "COLUMNS(*)",
    "* EXCLUDE (id)",
    "* REPLACE (1 AS id)",
    "$v",
]
_LEAVES += [
    "'mark.csv'",
    "'secret'",
    "'HOME'",
    "'x'",
    "[1, 2]",
    "{'a': 1}",
    "current_database",
    "user",
]
_LEAVES += [
    "TIMESTAMP '2026-01-01'",
    "INTERVAL 1 DAY",
    "1e308",
    "true",
    "x -> x",
    "'%Y'",
    "#1",
    "?",
]
_LEAVES += ["current_date", "session_user", "MAP {'a': 1}", "0.5", "-1", "'{\"a\": [1]}'::JSON"]
_EXPRESSIONS = ["{e} + {e}", "{e} || {e}", "{e} = {e}", "{e} IN ({s})", "({s})", "EXISTS ({s})"]
_EXPRESSIONS += ["{e} AND {e}", "CASE WHEN {e} THEN {e} ELSE {e} END", "{e}::VARCHAR", "-{e}"]
_EXPRESSIONS += ["TRY_CAST({e} AS INTEGER)", "{e} IS NULL", "{e} BETWEEN {e} AND {e}", "[{e}, {e}]"]
_EXPRESSIONS += ["{{'a': {e}}}", "{e}[1]", "{e}.a", "count(*) OVER (ORDER BY {e})", "{f}() OVER ()"]
_EXPRESSIONS += ["{e} AS a", "{e} LIKE {e}", "[{e} FOR x IN {e}]", "list_transform({e}, x -> {e})"]
_EXPRESSIONS += ["{f}({e})", "{f}({e}, {e})", "{f}({e}, {e}, {e})", "{f}()", "{f}(DISTINCT {e})"]
_EXPRESSIONS += ["{e}.{f}()", "{f}({e}) FILTER (WHERE {e})", "ARRAY({s})", "main.{f}({e})"]
_EXPRESSIONS += ["{e} COLLATE NOCASE", "{e} AT TIME ZONE 'UTC'", "GROUPING({e})", "{e}->>'a'"]
_EXPRESSIONS += ["{g}({m})", "{g}({m})", "{g}({m}, {e})", "{g}({e}, {m})"]
# What leads to the marks.
_MARKS = [
    "'mark'",
    "'numbers'",
    "'HOME'",
    "'home_directory'",
    "'mark.csv'",
    "'FROM secret'",
]
_STATEMENTS = ["SELECT {e} FROM {t}", "FROM {t}", "SELECT {e}, {e} FROM {t} WHERE {e}", "TABLE {t}"]
_STATEMENTS += ["SELECT {e} FROM {t} GROUP BY ALL", "SELECT {e} FROM {t} ORDER BY {e} LIMIT 3"]
_STATEMENTS += ["WITH n AS ({s}) {s}", "{s} UNION ALL {s}", "SELECT {e} FROM {t}, {t}", "({s})"]
_STATEMENTS += ["WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 9) {s}"]
_STATEMENTS += [
    "SELECT {e} FROM {t} JOIN {t} USING (id)",
    "SELECT {e} FROM {t} ASOF JOIN {t} ON {e}",
]
_STATEMENTS += ["SELECT DISTINCT ON ({e}) {e} FROM {t}", "SELECT {e} FROM {t} USING SAMPLE 2 ROWS"]
_STATEMENTS += ["WITH predictions AS ({s}) {s}", "SELECT {e} FROM {t} LIMIT ({s})", "VALUES ({e})"]
_STATEMENTS += ["SELECT {e} FROM {t} QUALIFY {e}", "SELECT {e} FROM LATERAL ({s})", "EXPLAIN {s}"]
_STATEMENTS += ["{s};", "{s}; {s}", "{s} -- {e}", "/* {e} */ {s}", "SELECT {e}", "DESCRIBE {t}"]
_STATEMENTS += ["INSERT INTO secret {s}", "COPY ({s}) TO 'x.csv'", "CREATE TABLE c AS {s}"]
_STATEMENTS += [
    "ATTACH 'x.duckdb'",
    "SET threads = 2",
    "PRAGMA version",
    "CALL {f}({e})",
    "DROP VIEW labels",
]
_STATEMENTS += [
    "WITH n AS MATERIALIZED ({s}) {s}",
    "WITH n AS (DELETE FROM secret RETURNING *) {s}",
]
_STATEMENTS += ["PIVOT {t} ON {e} USING {f}({e})", "SELECT {e} FROM {t} POSITIONAL JOIN {t}"]
SEEDS = [
    *(f"\1{each}".encode() for each in ("FROM predictions", "SELECT * FROM labels;", "SELECT 1")),
    b"\1SELECT getenv('HOME'), p.label FROM predictions p WHERE score > $v",
    b"\1WITH n AS (SELECT * FROM predictions) SELECT count(*) FROM n GROUP BY label",
    *(bytes((at + n * step) % 251 for n in range(180)) for at in range(7) for step in (1, 5, 17)),
]
WORDS = [each.encode() for each in (*_TABLES, *_LEAVES) if 3 < len(each) < 40]


def try_one(data):
    """Check a statement, and run it where it may; return whether it may."""
    if data[:1] == b"\1":
        statement = data[1:].decode("utf-8", "replace")
    else:
        statement = made(Choices(data), _STATEMENTS, depth=0)
    query, error = attempt(SqlRefused, check, statement, PUBLISHED)
    if error:
        assert error.position is None or 0 <= error.position <= len(statement), statement
        return False
    (parsed,) = duckdb.extract_statements(query.sql)
    assert parsed.type == duckdb.StatementType.SELECT, statement
    run(query)
    return True


def made(choices, patterns, depth):
    """Return a statement or a part of one, which holds others down to some depth."""
    if depth > 5 and patterns is _EXPRESSIONS:
        return choices.one_of(_LEAVES)
    pattern = choices.one_of(patterns if depth < 4 else patterns[:6])
    told, rest = "", pattern.replace("{{", "\2").replace("}}", "\3")
    while "{" in rest:
        before, _, rest = rest.partition("{")
        kind, rest = rest[0], rest[2:]
        told += before + part(choices, kind, depth + 1)
    return (told + rest).replace("\2", "{").replace("\3", "}")


def part(choices, kind, depth):
    """Return a statement, a table, a function or an expression."""
    if kind == "s":
        return made(choices, _STATEMENTS, depth)
    if kind == "t":
        return choices.one_of(_TABLES[:4] if choices.number(1) else _TABLES)
    if kind == "m":
        return choices.one_of(_MARKS)
    if kind == "g":
        return choices.one_of(every_function())
    if kind == "f":
        return choices.one_of(sorted(ALLOWED) if choices.number(2) else every_function())
    if choices.number(2):
        return choices.one_of(_LEAVES[: choices.one_of([10, 99])])
    return made(choices, _EXPRESSIONS, depth)


@functools.cache
def every_function():
    """Return the names of all functions that DuckDB knows, of the guard's list or not."""
    found = database().execute("SELECT DISTINCT function_name FROM duckdb_functions() ORDER BY 1")
    names = {name for (name,) in found.fetchall() if name.isidentifier()}
    return sorted(names | ALLOWED_TABLES)


@functools.cache
def folder():
    """Return the folder of that database, in which statements are run."""
    return Path(tempfile.mkdtemp(prefix="sextant-fuzz-"))


@functools.cache
def database():
    """Return a connection to a database that marks all that is not published."""
    os.chdir(folder())
    (folder() / "mark.csv").write_text(f"word\n{MARK}\n")
    connection = duckdb.connect(
        str(folder() / f"{MARK}.duckdb"),
        config={"threads": 1, "memory_limit": "200MB", "max_temp_directory_size": "0KB"},
    )
    for statement in (
        f"CREATE TABLE secret AS SELECT '{MARK}' AS word, 1 AS id",
        "COPY secret TO 'mark.parquet'",
        "CREATE SEQUENCE numbers",
        f"SET VARIABLE mark = '{MARK}'",
        f"SET home_directory = '{MARK}'",
        "CREATE TABLE stored AS SELECT unnest(['a', 'b', 'c']) AS label, unnest([1, 2, 3]) AS id, "
        "0.5::FLOAT AS score",
        *(f"CREATE VIEW {name} AS SELECT * FROM stored" for name in PUBLISHED),
        "CHECKPOINT",
    ):
        connection.execute(statement)
    return connection


def run(query):
    """Run a statement that may run, as it is, and look at what it shows and leaves behind."""
    connection = database()
    os.chdir(folder())
    before = state()
    limit = threading.Timer(TIME_S, connection.interrupt)
    limit.start()
    found, error = attempt(duckdb.Error, fetch, connection, query)
    limit.cancel()
    limit.join()
    # What ends the database for everybody else.
    assert not isinstance(error, duckdb.FatalException), (query.sql, error)
    assert connection.execute("SELECT 42").fetchall() == [(42,)], query.sql
    assert MARK not in repr(found), (query.sql, found)
    assert state() == before, query.sql


def fetch(connection, query):
    """Return the names and the first rows of a query."""
    given = dict.fromkeys(query.parameters, "1")
    found = connection.execute(f"FROM (\n{query.sql}\n)", given).fetchmany(ROWS)
    return [name for name, *_ in connection.description or ()], found


def state():
    """Return what a statement may not change: a write of any kind shows in the log's files."""
    return sorted((path.name, path.stat().st_mtime_ns) for path in folder().iterdir())
