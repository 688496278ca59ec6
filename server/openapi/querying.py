"""The paths of SQL: the same answers as JSON and as files."""

from typing import Any

from server.openapi.browsing import FILES
from server.openapi.subject import Subject
from server.openapi.vocabulary import (
    FORMS,
    JSON,
    Part,
    Paths,
    answer,
    body,
    file_of,
    operation,
    page,
    query,
    schema,
)
from server.sql.guard import MAX_CHARACTERS

_PROBLEMS = (422, 503)


def paths(subject: Subject) -> Paths:
    """Return the paths."""
    rows = answer("At most 10,000 rows.", {JSON: {"schema": schema("Rows")}})
    answers = {"json": ("as one JSON object", rows)} | {
        form: (f"as {form}", file_of("All rows.", media_type, is_binary=is_binary))
        for form, (media_type, is_binary) in FILES.items()
    }
    example = _example(subject)
    return {
        "/sql": _both("sql_page", "An editor with the log's columns", page("The page."), example),
        **{
            f"/sql.{form}": _both(f"sql_{form}", f"The rows of a query {told}", ok, example)
            for form, (told, ok) in answers.items()
        },
    }


def _both(name: str, summary: str, ok: Part, example: str) -> dict[str, Part]:
    given: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
    q = {"type": "string", "maxLength": MAX_CHARACTERS}
    asked = query("q", "The query, one SELECT.", q, examples={"mix": {"value": example}})
    others = query(
        "parameters",
        "Every other field is the value of a parameter of the query, `$label`.",
        given,
        style="form",
        explode=True,
    )
    is_page = name == "sql_page"
    on_page = (400, 422, 503) if is_page else ()
    form = {**given, "properties": {"q": q}, **({} if is_page else {"required": ["q"]})}
    sent = {kind: {"schema": form, "example": {"q": example}} for kind in FORMS}
    return {
        "get": operation(
            name,
            "SQL",
            summary,
            {200: ok},
            _PROBLEMS,
            parameters=[asked if is_page else {**asked, "required": True}, others],
            on_page=on_page,
        ),
        "post": operation(
            f"{name}_posted",
            "SQL",
            f"{summary}, asked by a form",
            {200: ok},
            _PROBLEMS,
            body=body("The same fields.", sent, required=not is_page),
            on_page=on_page,
        ),
    }


def _example(subject: Subject) -> str:
    if subject.contract.class_names:
        return "SELECT label, count(*) AS predictions FROM predictions GROUP BY label"
    return "SELECT count(*) AS predictions, avg(value) AS mean FROM predictions"
