"""Write an answer as a table, with the columns that the log has for it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from server.browse.exporting import csv_cell, csv_head
from server.browse.flattening import flatten, to_json_members
from server.contract import Contract
from server.payload import Instances
from server.prediction_log import PredictionLog, Stored
from server.sql.downloads import new_file
from server.storage.layout import columns_of, select_shown
from server.storage.parts import literal, quoted
from server.storage.reading import AT_LENGTH
from server.storage.tasks import LogUnavailable
from server.storage.writing import to_batch
from server.tables.media import CSV, PARQUET

# What a caller knows of his own rows, or finds in the log.
_LEFT_OUT = ("request_id", "instance", "inference_ms")


class TableWriter:
    """Writes the answers of one contract, with the log's DuckDB.

    Parameters
    ----------
    folder : Path
        Where a Parquet answer lies until it is whole.
    """

    def __init__(self, log: PredictionLog, contract: Contract, folder: Path) -> None:
        self._log = log
        self._contract = contract
        self._folder = folder
        self._at_length = {each.name for each in contract.outputs if each.role in AT_LENGTH}
        inputs = [feature.name for feature in contract.features]
        self._columns = [
            column
            for column in columns_of(contract)
            if column.name not in _LEFT_OUT and column.name not in inputs
        ]

    def write(
        self,
        kind: str,
        instances: Instances,
        outputs: Mapping[str, Any],
        stored: Stored,
        *,
        at_length: bool,
    ) -> bytes:
        """Return the answer as CSV, NDJSON or Parquet; `at_length` with what explains it.

        Raises
        ------
        LogUnavailable
            If DuckDB has no room for it.
        """
        columns = [
            column for column in self._columns if at_length or column.name not in self._at_length
        ]
        given = {
            "prediction_id": stored.prediction_ids,
            "predicted_at": stored.predicted_at,
            "id": instances.ids,
            "model_name": self._contract.model_name,
            "model_version": self._contract.model_version,
            **outputs,
            "warnings": instances.warnings,
        }
        batch = to_batch(columns, given, len(instances))
        cells = ", ".join(
            f"{selected} AS {quoted(column.name)}"
            for selected, column in zip(batch.selected, columns, strict=True)
        )
        select = f"SELECT {select_shown(self._contract, columns)} FROM (SELECT {cells} FROM batch)"  # noqa: S608  # names of ours, or quoted
        try:
            with self._log.cursor() as cursor:
                cursor.register("batch", batch.arrays)
                if kind == PARQUET:
                    return self._to_parquet(cursor, select, batch.values)
                cursor.execute(f"CREATE TEMP TABLE answers AS {select}", batch.values)
                names = [column.name for column in columns]
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
