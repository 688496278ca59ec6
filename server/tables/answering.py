"""Write an answer as a table, with the columns that the log has for it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from server.browse.exporting import csv_cell, csv_head
from server.browse.flattening import flatten, to_json_members
from server.prediction_log import PredictionLog
from server.served import Said
from server.sql.downloads import new_file
from server.storage.layout import columns_of, select_shown
from server.storage.parts import literal, quoted
from server.storage.reading import AT_LENGTH
from server.storage.tasks import LogUnavailable
from server.storage.uniting import unite
from server.storage.writing import to_batch
from server.tables.media import CSV, PARQUET

# What a caller knows of his own rows, or finds in the log.
_LEFT_OUT = ("request_id", "instance", "inference_ms")
# No output bears a name with a backslash, so this can stand beside any.
_PLACE = "\\place"


class TableWriter:
    """Writes answers with the log's DuckDB.

    Parameters
    ----------
    folder : Path
        Where a Parquet answer lies until it is whole.
    """

    def __init__(self, log: PredictionLog, folder: Path) -> None:
        self._log = log
        self._folder = folder

    def write(self, kind: str, said: Sequence[Said], *, at_length: bool) -> bytes:
        """Return the answer as CSV, NDJSON or Parquet; `at_length` with what explains it.

        Of several models, a column that one of them has not is null in its rows.

        Raises
        ------
        LogUnavailable
            If DuckDB has no room for it.
        """
        try:
            with self._log.cursor() as cursor:
                select, values = _select_all(cursor, said, at_length=at_length)
                if kind == PARQUET:
                    return self._to_parquet(cursor, select, values)
                cursor.execute(f"CREATE TEMP TABLE answers AS {select}", values)
                cursor.execute("SELECT * FROM answers LIMIT 0")
                names = [name for name, *_ in cursor.description or ()]
                return (_to_csv if kind == CSV else _to_ndjson)(cursor, names)
        except (duckdb.Error, OSError) as error:
            raise LogUnavailable("the answer cannot be written as a table") from error

    def _to_parquet(
        self, cursor: duckdb.DuckDBPyConnection, select: str, values: list[Any]
    ) -> bytes:
        with new_file(self._folder) as path:
            options = "FORMAT parquet, COMPRESSION snappy, USE_TMP_FILE false"
            cursor.execute(f"COPY ({select}) TO {literal(str(path))} ({options})", values)
            return path.read_bytes()


def _select_all(
    cursor: duckdb.DuckDBPyConnection, said: Sequence[Said], *, at_length: bool
) -> tuple[str, list[Any]]:
    """Return the SQL of all rows in the order of the request, and the values bound in it."""
    if len(said) == 1:
        return _select(cursor, said[0], "batch", at_length=at_length)
    views = []
    for number, part in enumerate(said):
        name = f"said_{number}"
        select, values = _select(cursor, part, f"batch_{number}", at_length=at_length)
        cursor.execute(f"CREATE TEMP TABLE {name} AS {select}", values)
        cursor.register(f"places_{number}", {_PLACE: np.array(part.places)})
        places = f"(SELECT {quoted(_PLACE)} FROM places_{number})"  # noqa: S608  # names of ours
        cursor.execute(
            f"CREATE TEMP VIEW placed_{number} AS SELECT * FROM {name} POSITIONAL JOIN {places}"  # noqa: S608  # names of ours
        )
        views.append(f"placed_{number}")
    united = f"({unite(cursor, views)})"
    return f"SELECT * EXCLUDE ({quoted(_PLACE)}) FROM {united} ORDER BY {quoted(_PLACE)}", []  # noqa: S608  # names of ours


def _select(
    cursor: duckdb.DuckDBPyConnection, said: Said, batch_name: str, *, at_length: bool
) -> tuple[str, list[Any]]:
    contract = said.served.model.contract
    left_out = {*_LEFT_OUT, *(feature.name for feature in contract.features)}
    if not at_length:
        left_out |= {each.name for each in contract.outputs if each.role in AT_LENGTH}
    columns = [column for column in columns_of(contract) if column.name not in left_out]
    given = {
        "prediction_id": said.stored.prediction_ids,
        "predicted_at": said.stored.predicted_at,
        "id": said.instances.ids,
        **said.served.target.model,
        **said.prediction.outputs,
        "warnings": said.instances.warnings,
    }
    batch = to_batch(columns, given, len(said.instances))
    cursor.register(batch_name, batch.arrays)
    cells = ", ".join(
        f"{selected} AS {quoted(column.name)}"
        for selected, column in zip(batch.selected, columns, strict=True)
    )
    shown = select_shown(contract, columns)
    return f"SELECT {shown} FROM (SELECT {cells} FROM {batch_name})", batch.values  # noqa: S608  # names of ours, or quoted


def _to_csv(cursor: duckdb.DuckDBPyConnection, names: list[str]) -> bytes:
    columns = flatten(cursor, "answers", names)
    line = f"concat_ws(',', {', '.join(map(csv_cell, columns))})"
    return csv_head([column.name for column in columns]) + _lines(cursor, line)


def _to_ndjson(cursor: duckdb.DuckDBPyConnection, names: list[str]) -> bytes:
    members = to_json_members(cursor, "answers", names)
    return _lines(cursor, f"to_json(struct_pack({members}))::VARCHAR")


def _lines(cursor: duckdb.DuckDBPyConnection, line: str) -> bytes:
    rows = cursor.execute(f"SELECT {line} FROM answers").fetchall()  # noqa: S608  # names of ours, or quoted
    return "".join(f"{text}\n" for (text,) in rows).encode()
