"""The paths that are pages for people, and this document itself."""

from server.openapi.subject import Subject
from server.openapi.vocabulary import (
    FORMS,
    JSON,
    Paths,
    answer,
    body,
    operation,
    page,
    ref,
)


def paths(subject: Subject) -> Paths:
    """Return the paths."""
    form = {
        "type": "object",
        "properties": {feature.name: {"type": "string"} for feature in subject.contract.features},
    }
    icon = {"description": "To the icon.", "headers": {"Location": ref("headers", "Location")}}
    document = answer("The document.", {JSON: {"schema": {"type": "object"}}})
    return {
        "/": {
            "get": operation(
                "home", "Pages", "What this is, and a form to try it", {200: page("The page.")}
            ),
            "post": operation(
                "try_it",
                "Pages",
                "Predict what was typed into the form",
                {200: page("The answer."), 422: page("What is wrong with what was typed.")},
                (503,),
                body=body("The fields as typed.", {kind: {"schema": form} for kind in FORMS}),
            ),
        },
        "/openapi.json": {"get": operation("openapi", "Pages", "This document", {200: document})},
        "/docs": {
            "get": operation("docs", "Pages", "This document as a page", {200: page("The page.")})
        },
        "/favicon.ico": {"get": operation("favicon", "Pages", "The icon", {302: icon})},
    }
