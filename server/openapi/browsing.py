"""The paths of the log: a page of it, one prediction, all that fits as a file."""

from server.openapi.filters import filters, page_parameters
from server.openapi.predicting import FORMAT, data_or_page, prediction_link
from server.openapi.subject import EXAMPLE_ID, Subject
from server.openapi.vocabulary import Part, Paths, file_of, operation, query, ref, schema

FILES = {
    "csv": ("text/csv", False),
    "ndjson": ("application/x-ndjson", False),
    "parquet": ("application/vnd.apache.parquet", True),
}
_EXPLANATIONS = query(
    "explanations",
    "Whether to add what the model says at length.",
    {"type": "boolean"},
    allowEmptyValue=True,
)
_REDIRECT: Part = {
    "description": "To the same page without the parameters that were left empty.",
    "headers": {"Location": ref("headers", "Location")},
}


def paths(subject: Subject) -> Paths:
    """Return the paths."""
    asked = [ref("parameters", name) for name in filters(subject)]
    return {
        "/predictions": {
            "get": operation(
                "show_predictions",
                "Predictions",
                "The log: filtered, sorted, a page at a time",
                {200: _page(), 302: _REDIRECT},
                (503,),
                parameters=[*asked, *page_parameters(subject), FORMAT],
                on_page=(400,),
            )
        },
        **{f"/predictions.{form}": {"get": _file(form, asked)} for form in FILES},
        "/predictions/{prediction_id}": {
            "get": operation(
                "show_prediction",
                "Predictions",
                "One prediction with everything that was computed for it",
                {200: data_or_page("The prediction.", _one())},
                (404, 503),
                parameters=[_PREDICTION_ID, FORMAT],
            )
        },
    }


_PREDICTION_ID: Part = {
    "name": "prediction_id",
    "in": "path",
    "required": True,
    "description": "The id that the answer had.",
    "schema": {"type": "string", "format": "uuid"},
    "examples": {"an id": {"value": EXAMPLE_ID}},
}


def _one() -> Part:
    return {"anyOf": [schema("WholePrediction"), schema("OtherPrediction")]}


def _page() -> Part:
    links = {
        "first": prediction_link("/predictions/0/prediction_id"),
        "older": {
            "operationId": "show_predictions",
            "parameters": {"before": "$response.body#/predictions/0/prediction_id"},
            "description": "What is older than the first of this page.",
        },
    }
    return data_or_page("A page of the log.", schema("PredictionsPage"), links=links)


def _file(form: str, asked: list[Part]) -> Part:
    media_type, is_binary = FILES[form]
    return operation(
        f"export_predictions_{form}",
        "Predictions",
        f"All predictions that fit, as {form}",
        {200: file_of("The file.", media_type, is_binary=is_binary)},
        (503,),
        parameters=[*asked, _EXPLANATIONS],
    )
