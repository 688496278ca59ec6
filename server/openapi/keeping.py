"""The paths of keeping the log: a backup, what is due to go, erasure."""

from server.openapi.judging import ID_IN_PATH, TEXT
from server.openapi.subject import Subject
from server.openapi.vocabulary import JSON, Part, Paths, answer, body, operation, query

_BUSY = (503,)


def paths(_: Subject) -> Paths:
    """Return the paths."""
    return {
        "/backup.duckdb": {
            "get": operation(
                "backup",
                "Keeping",
                "The whole log, as it is now, as a database of its own",
                {200: answer("The database.", {"application/vnd.duckdb": {}})},
                (*_BUSY, 507),
            )
        },
        "/prune": {
            "post": operation(
                "prune",
                "Keeping",
                "Export and remove what is due",
                {200: answer("A line a step.", {"application/x-ndjson": {"schema": TEXT}})},
                (*_BUSY, 415),
                body=_pruning(),
            )
        },
        "/predictions": {
            "delete": operation(
                "erase_by_id",
                "Keeping",
                "Erase all predictions that bear a caller's id, with their labels",
                {200: _erased()},
                _BUSY,
                parameters=[query("id", "The caller's id.", TEXT, required=True)],
            )
        },
        "/predictions/{prediction_id}": {
            "delete": operation(
                "erase",
                "Keeping",
                "Erase one prediction, with its labels",
                {200: _erased()},
                (*_BUSY, 404),
                parameters=[ID_IN_PATH],
            )
        },
    }


def _pruning() -> Part:
    taken = {
        "days": {"type": ["number", "null"]},
        "bytes": {"type": ["integer", "null"]},
        "dry_run": {"type": "boolean"},
        "without_export": {"type": "boolean"},
    }
    rules = {"type": "object", "properties": taken, "additionalProperties": False}
    return body("What is due; as set, where it is left out.", {JSON: {"schema": rules}})


def _erased() -> Part:
    told = {"type": "object", "required": ["prediction_ids", "rows", "exports"]}
    return answer("What was erased, and the files that hold it too.", {JSON: {"schema": told}})
