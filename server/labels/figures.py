"""Gather every figure of the page of labels, each with the SQL it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import duckdb

from server.contract import Contract
from server.explained import EvaluatedHead
from server.labels import judging
from server.labels.judging import Scope
from server.pages.reliability import to_confusion, to_panels

_RECENT = """SELECT received_at, prediction_id, id, label, value, given_by, is_matched, is_current
FROM labels
ORDER BY received_at DESC
LIMIT 20"""
_WAITING = "SELECT count(*) AS waiting FROM labels WHERE is_current AND NOT is_matched"
# Truths that are no class of the model, as one row of the confusion.
_OTHERS = "(no class of the model)"


def gather(cursor: duckdb.DuckDBPyConnection, contract: Contract, scope: Scope) -> dict[str, Any]:
    """Return the figures of what `scope` holds, as plain values."""
    window = replace(scope, model=None, version=None)
    versions = _versions(cursor, window)
    chosen = [
        each
        for each in versions
        if each["model"] == scope.model and scope.version in (None, each["version"])
    ]
    is_served = (scope.model, scope.version) == (contract.model_name, contract.model_version)
    kind = _kind(chosen, contract if is_served else None)
    heads = _heads(cursor, contract if is_served else None, scope, kind)
    return {
        "model": {"name": scope.model, "version": scope.version},
        "is_served": is_served,
        "kind": kind,
        "predictions": sum(each["predictions"] for each in chosen),
        "judged": sum(each["judged"] for each in chosen),
        "heads": heads,
        "versions": versions,
        "waiting": (cursor.execute(_WAITING).fetchone() or (0,))[0],
        "recent": _as_dicts(cursor.execute(_RECENT)),
        "sql": {
            "versions": window.statement("versions"),
            "predictions": window.statement("predictions"),
            "recent": _RECENT,
            "waiting": _WAITING,
        },
    }


def _kind(chosen: Sequence[Mapping[str, Any]], served: Contract | None) -> str:
    """Return whether labels or values are judged: of another model than ours, what was found."""
    if served:
        return "label" if served.class_names else "value"
    return "value" if any(each["error"] for each in chosen) else "label"


def _versions(cursor: duckdb.DuckDBPyConnection, window: Scope) -> list[dict[str, Any]]:
    """Return each version that predicted in the window, and how it did, the newest first."""
    judged = {
        (row["model_name"], row["model_version"]): row
        for row in _as_dicts(cursor.execute(window.statement("versions")))
    }
    found = []
    for name, version, count in cursor.execute(window.statement("predictions")).fetchall():
        row = judged.get((name, version), {"judged": 0, "labelled": 0, "correct": 0, "mae": None})
        correct = judging.to_accuracy(row["labelled"], row["correct"])
        found.append(
            {
                "model": name,
                "version": version,
                "predictions": count,
                "judged": row["judged"],
                "accuracy": asdict(correct) if correct else None,
                "error": None
                if row["mae"] is None
                else {key: row[key] for key in ("mae", "rmse", "bias")},
            }
        )
    return found


def _heads(
    cursor: duckdb.DuckDBPyConnection, served: Contract | None, scope: Scope, kind: str
) -> list[dict[str, Any]]:
    """Return the figures of each head of the served model, or of all together."""
    detail, evaluated = _detail_of_heads(served), served.evaluation.heads if served else []
    if detail is None:
        return [_head(cursor, served, scope, kind, evaluated[0] if evaluated else None)]
    return [
        _head(cursor, served, replace(scope, detail=(detail, head.head)), kind, head)
        for head in evaluated
    ]


def _detail_of_heads(served: Contract | None) -> str | None:
    """Return the output that says which of several heads has answered, if there is one."""
    names = {head.head for head in served.evaluation.heads} if served else set()
    for output in served.outputs if served and len(names) > 1 else ():
        if output.role == "detail" and names <= set(output.values or ()):
            return output.name
    return None


def _head(
    cursor: duckdb.DuckDBPyConnection,
    served: Contract | None,
    scope: Scope,
    kind: str,
    holdout: EvaluatedHead | None,
) -> dict[str, Any]:
    figures = ("confusion", "calibration") if kind == "label" else ("error", "value")
    head: dict[str, Any] = {
        "head": scope.detail[1] if scope.detail else "",
        "sql": {figure: scope.statement(figure) for figure in figures},
        "holdout": holdout,
    }
    if kind == "value":
        found = cursor.execute(scope.statement("error")).fetchone()
        off = judging.Errors(*found) if found and found[0] else None
        groups = judging.value_groups(cursor, scope)
        return {**head, "error": asdict(off) if off else None, "calibration": groups}
    counts = judging.confusion(cursor, scope)
    names = served.class_names if served else sorted({label for _, label in counts})
    correct = judging.to_accuracy(
        sum(counts.values()), sum(n for (truth, label), n in counts.items() if truth == label)
    )
    return {
        **head,
        "accuracy": asdict(correct) if correct else None,
        "macro_f1": judging.macro_f1(counts, names),
        "class_names": names,
        "confusion": _confused(counts, names),
        "calibration": [
            each for each in judging.calibration(cursor, scope) if each.class_name in names
        ]
        if counts
        else [],
    }


def _confused(counts: Mapping[tuple[str, str], int], names: Sequence[str]) -> dict[str, Any]:
    """Return a row a class that is true, a column a class that was said, and their names.

    Truths that the model does not know are one row more, at the end, and a column of nothing.
    """
    rows = [[counts.get((truth, label), 0) for label in names] for truth in names]
    strangers = [
        sum(n for (truth, said), n in counts.items() if said == label and truth not in names)
        for label in names
    ]
    if not any(strangers):
        return {"names": list(names), "counts": rows}
    return {
        "names": [*names, _OTHERS],
        "counts": [[*row, 0] for row in [*rows, strangers]],
    }


def to_drawings(contract: Contract, head: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template draws of a head: live, and on the holdout where there is one."""
    holdout: EvaluatedHead | None = head["holdout"]
    names, target = head.get("class_names", []), contract.target.name
    confused = head.get("confusion", {"names": [], "counts": []})
    return {
        "panels": to_panels(names, target, head["calibration"]),
        "confusion": to_confusion(confused["names"], confused["counts"]),
        "holdout": {
            "rows": holdout.rows,
            "panels": to_panels(names, target, holdout.reliability),
            "confusion": to_confusion(names, holdout.confusion or []),
            "accuracy": _share_right(holdout),
        }
        if holdout
        else None,
    }


def _share_right(holdout: EvaluatedHead) -> float | None:
    table = holdout.confusion or []
    rows = sum(map(sum, table))
    return sum(row[number] for number, row in enumerate(table)) / rows if rows else None


def _as_dicts(cursor: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    names = [name for name, *_ in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
