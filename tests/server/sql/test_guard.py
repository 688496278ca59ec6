"""What the guard lets through and how it says no; hostile_statements.py has the attacks."""

import duckdb
import pytest

from server.sql.functions import ALLOWED, ALLOWED_TABLES
from server.sql.guard import MAX_CHARACTERS, MAX_DEPTH, SqlRefused, check

VIEWS = ("predictions", "labels", "judged")


def refusal(statement):
    with pytest.raises(SqlRefused) as refused:
        check(statement, VIEWS)
    return refused.value


@pytest.mark.parametrize(
    ("statement", "told", "marked"),
    [
        ("SELECT 1 FROM x", "x is not published: there is judged, labels, predictions", "x"),
        ("FROM given_labels", "given_labels is not published", "given_labels"),
        ("FROM main.labels", "main.labels is not published", "main.labels"),
        ("SELECT a.b.c FROM a.b", "a.b is not published", "a.b"),
        ("SELECT  getenv('x')", "the function getenv is not available here", "getenv('x')"),
        ("SELECT range(3)", "the function range is not available outside FROM", "range(3)"),
        ("SELECT\n1 +", "Parser Error: syntax error at or near", "+"),
        ("SELECT current_user", "a column of that name is predictions.current_user", "current_u"),
        ("SELECT 1; SELECT 2", "one statement at a time", None),
        ("DROP VIEW predictions", "only one SELECT can run here", None),
        ("EXPLAIN SELECT 1", "only one SELECT can run here", None),
        ("", "write a SELECT statement", None),
        ("SELECT replace(label, 'a', id) FROM predictions", "as a constant of at most 100", "repl"),
        ("SELECT label && id FROM predictions", "one of its lists written out", "label"),
    ],
)
def test_a_refusal_says_what_and_where(statement, told, marked):
    refused = refusal(statement)

    assert told in refused.detail
    if marked is None:
        assert refused.position is None
    else:
        assert statement[refused.position :].startswith(marked)


def test_the_longest_statement_and_the_deepest_are_let_through():
    long = "SELECT 1 --" + "x" * (MAX_CHARACTERS - 11)
    deep = "SELECT " + "(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH

    assert check(long, VIEWS).sql == long
    assert check(deep, VIEWS).sql == deep
    assert "at most 20,000 characters" in refusal(long + "x").detail
    assert "deeper than 50 brackets" in refusal(f"SELECT ({deep[7:]})").detail


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("SELECT ';' AS \";\"; -- ;", "SELECT ';' AS \";\""),
        ("SELECT $$;$$ ;;", "SELECT $$;$$ "),
        ("SELECT 'é;' /* ; */", "SELECT 'é;' /* ; */"),
    ],
)
def test_a_semicolon_at_the_end_is_taken_off(statement, kept):
    assert check(statement, VIEWS).sql == kept


def test_parameters_are_named():
    query = check("SELECT $a, $b FROM predictions WHERE id = $a", VIEWS)

    assert query.parameters == {"a", "b"}


def test_names_of_with_hold_where_they_are_defined():
    check("WITH a AS (SELECT 1), b AS (FROM a) FROM b, (WITH c AS (FROM b) FROM c)", VIEWS)

    assert refusal("WITH labels AS (FROM judged) FROM labels").detail.endswith("the name labels")
    assert refusal("FROM (WITH c AS (SELECT 1) FROM c), c").detail.startswith("c is not published")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT "
        + ", ".join(
            f"avg({name}) AS {name}, min({name}) AS {name}_min, max({name}) AS {name}_max"
            for name in "abcdefghijklmnopqrstuvwxyz"
        )
        + " FROM predictions",
        "SELECT count(*) AS n, n / 2 AS half, half / 2 AS quarter FROM predictions",
        "SELECT * FROM predictions p JOIN (SELECT * FROM predictions) q USING (prediction_id)",
        "SELECT " + ", ".join(f"round(avg(f{k}), 2) AS f{k}" for k in range(300)),
        "SELECT quantile_cont(u, [0.1, 0.2, 0.5]), quantile_cont(g, [0.1, 0.2, 0.5])",
    ],
)
def test_what_people_write_does_not_grow_beyond_measure(statement):
    assert check(statement, VIEWS)


def test_every_function_on_the_list_exists():
    # Operators, and what the parser knows by itself, are in no list of DuckDB's.
    built_in = {"->", "<>", "==", "grouping", "grouping_id"}

    found = duckdb.sql("SELECT DISTINCT lower(function_name) FROM duckdb_functions()").fetchall()

    unknown = (ALLOWED | ALLOWED_TABLES) - built_in - {name for (name,) in found}
    assert unknown == set()
