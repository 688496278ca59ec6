"""How labels lie in DuckDB, and the views that hold them against what was predicted."""

from collections.abc import Sequence

import duckdb

from server.storage.parts import quoted
from server.storage.uniting import unite

# Appended to and never altered: what was said first stays beside what was said later.
LABELS = {
    "received_at": "TIMESTAMP",
    "prediction_id": "UUID",
    "id": "VARCHAR",
    "label": "VARCHAR",
    "value": "DOUBLE",
    "observed_at": "TIMESTAMP",
    "given_by": "VARCHAR",
    "request_id": "VARCHAR",
}
# Names that the log takes beside those of predictions.
TAKEN = ("given_labels", "labels", "judged")


def create_truth(connection: duckdb.DuckDBPyConnection, views: Sequence[str]) -> None:
    """Make the table of labels, unless it is there, and the views that hold it against `views`.

    Of each of `views`, the predictions of one contract, there is a view `judged_<hash>`; `judged`
    is all of them, and `labels` the whole history of what was given.
    """
    definition = ", ".join(f"{name} {kind}" for name, kind in LABELS.items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS given_labels ({definition})")
    judged = []
    for view in views:
        judged.append(view.replace("predictions_", "judged_"))
        select = _judge(connection, view)
        connection.execute(f"CREATE OR REPLACE VIEW {judged[-1]} AS {select}")
    connection.execute(f"CREATE OR REPLACE VIEW judged AS {unite(connection, judged)}")
    connection.execute(f"CREATE OR REPLACE VIEW labels AS {_tell_history(connection, views)}")


def _judge(connection: duckdb.DuckDBPyConnection, view: str) -> str:
    """Return the SQL of one row a prediction of `view` that has a label: the last one stored.

    A label is found by the id of the prediction or by the caller's, each a hash join, and the
    greater rowid of the two is the later: rows are only appended.
    """
    kind = _kind(connection, view)
    if kind == "label":
        parts = ", ".join(f"probabilities.{quoted(name)}" for name in _classes(connection, view))
        # The predicted class is the one with the largest.
        said = f"p.label, NULL::FLOAT AS value, list_max([{parts}]) AS probability, p.probabilities"
        held = "g.label AS truth, NULL::DOUBLE AS true_value, p.label = g.label AS is_correct, "
        held += "NULL::DOUBLE AS error"
    else:
        said = "NULL::VARCHAR AS label, p.value, NULL::FLOAT AS probability"
        held = "NULL::VARCHAR AS truth, g.value AS true_value, NULL::BOOLEAN AS is_correct, "
        held += "p.value::DOUBLE - g.value AS error"
    return (
        "SELECT p.prediction_id, p.id, p.predicted_at, p.model_name, p.model_version, "  # noqa: S608  # names of ours, or quoted
        f"{said}, {held}, g.observed_at, g.given_by, g.received_at AS labelled_at "
        f"FROM {view} p "
        f"LEFT JOIN ({_latest('prediction_id', kind)}) a ON a.prediction_id = p.prediction_id "
        f"LEFT JOIN ({_latest('id', kind)}) b ON b.id = p.id "
        "JOIN given_labels g ON g.rowid = greatest(a.latest, b.latest)"
    )


def _latest(key: str, kind: str) -> str:
    return (
        f"SELECT {key}, max(rowid) AS latest FROM given_labels "  # noqa: S608  # names of ours
        f"WHERE {key} IS NOT NULL AND {kind} IS NOT NULL GROUP BY {key}"
    )


def _tell_history(connection: duckdb.DuckDBPyConnection, views: Sequence[str]) -> str:
    """Return the SQL of all labels: is there such a prediction, is it the last word on it.

    A label meets the predictions of classifiers, a value those of regressions.
    """
    columns = ", ".join(f"g.{name}" for name in LABELS)
    # Semi joins first, so that what is built in memory are the few labels, not all predictions.
    met = {
        key: " UNION ALL ".join(
            f"SELECT {key}, '{kind}' AS kind FROM {view} "  # noqa: S608  # names of ours
            f"WHERE {key} IN (SELECT {key} FROM given_labels WHERE {kind} IS NOT NULL)"
            for view in views
            for kind in [_kind(connection, view)]
        )
        for key in ("prediction_id", "id")
    }
    joins = " ".join(
        f"LEFT JOIN (SELECT DISTINCT * FROM ({select})) by_{key} ON by_{key}.{key} = g.{key} "  # noqa: S608  # names of ours
        f"AND by_{key}.kind = CASE WHEN g.label IS NULL THEN 'value' ELSE 'label' END"
        for key, select in met.items()
    )
    latest = "SELECT max(rowid) FROM given_labels GROUP BY prediction_id, id, label IS NULL"
    return (
        f"SELECT {columns}, by_id.id IS NOT NULL OR by_prediction_id.prediction_id IS NOT NULL "  # noqa: S608  # names of ours
        f"AS is_matched, g.rowid IN ({latest}) AS is_current FROM given_labels g {joins}"
    )


def _kind(connection: duckdb.DuckDBPyConnection, view: str) -> str:
    """Return which column of a label holds the truth for `view`: label, or value."""
    return "label" if "label" in connection.view(view).columns else "value"


def _classes(connection: duckdb.DuckDBPyConnection, view: str) -> list[str]:
    relation = connection.view(view)
    kind = relation.types[relation.columns.index("probabilities")]
    return [name for name, _ in kind.children]
