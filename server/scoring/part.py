"""The work on one part: read it, answer it, store it where that is asked for, write it."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from server.column_faults import ColumnFault, InvalidColumns
from server.model import Model
from server.prediction_log import PredictionLog
from server.scoring.answering import Answered, answer, register
from server.scoring.reading import read_part
from server.scoring.staging import PART_ROWS
from server.scoring.tables import Table
from server.scoring.writing import head_of, join, kept, write_part

# Faults that are told on the terminal.
_TOLD = 20


class Refused(Exception):
    """Rows, or whole columns, that the model cannot take; rows are counted in the file, from 0."""

    def __init__(self, faults: Sequence[ColumnFault]) -> None:
        self.faults = list(faults)
        told = [_told(fault) for fault in self.faults[:_TOLD]]
        if len(self.faults) > _TOLD:
            told.append(f"and more like these: {len(self.faults) - _TOLD} so far")
        if any(fault.row is not None for fault in self.faults):
            told.append("--rejects FILE goes on without such rows, and lists them there")
        super().__init__("\n".join(told))


@dataclass(frozen=True)
class Work:
    """What is done with each part of one table."""

    table: Table
    model: Model
    log: PredictionLog | None
    folder: Path
    form: str
    at_length: bool
    is_beside: bool
    takes_rejects: bool
    run_id: str

    def path(self, number: int) -> Path:
        """Return where a part lies once it is done."""
        return self.folder / f"{number:06}.{self.form}"

    def rejects(self, number: int) -> Path:
        """Return where the rows of a part lie that were not taken; one a line, there before it."""
        return self.folder / f"{number:06}.rejects"

    def do(self, number: int) -> None:
        """Write the part `number`.

        Raises
        ------
        Refused
            If the model cannot take some row, and rejects are not taken.
        """
        with duckdb.connect(config={"threads": 1, "temp_directory": str(self.folder)}) as opened:
            try:
                part = read_part(opened, self.table, number, self.model.contract.features)
            except InvalidColumns as error:
                raise Refused(error.faults) from None
            began = time.perf_counter()
            said = answer(self.model, part, at_length=self.at_length)
            took_ms = (time.perf_counter() - began) * 1e3
            first = number * PART_ROWS
            faults = [each._replace(row=first + (each.row or 0)) for each in said.faults]
            if faults and not self.takes_rejects:
                raise Refused(faults)
            self._write_rejects(number, faults)
            ids = self._store(number, said, took_ms)
            answers = register(opened, self.model.contract, said, ids)
            self._join(opened, number, answers, said.is_taken)
            if not number:
                (self.folder / "head").write_bytes(head_of(opened, self.form))
            write_part(opened, self.form, self.path(number))

    def _join(self, opened: Any, number: int, answers: str, is_taken: Any) -> None:
        answered = [name for name, *_ in opened.execute(f"DESCRIBE {answers}").fetchall()]
        selected = kept(self.table, self.model.contract, answered, self.form)
        if not self.is_beside:
            selected = [each for each in selected if each.endswith(' AS "id"')]
        came = (
            f"SELECT {', '.join(selected)} {self.table.of_part(number)}" if selected else ""
        )  # quoted
        join(opened, came, answers, is_taken)

    def _write_rejects(self, number: int, faults: Sequence[ColumnFault]) -> None:
        by_row: dict[int, list[dict[str, str]]] = {}
        for row, name, detail in faults:
            by_row.setdefault(row or 0, []).append({"column": name, "detail": detail})
        lines = [
            json.dumps({"row": row + 1, "errors": errors}, ensure_ascii=False) + "\n"
            for row, errors in sorted(by_row.items())
        ]
        self.rejects(number).write_text("".join(lines), encoding="utf-8")

    def _store(self, number: int, said: Answered, took_ms: float) -> Sequence[UUID] | None:
        """Store the part in the log, unless it is there: it may have been stored, and not written.

        A part is one request, named for the run and its number.
        """
        if self.log is None or not said.columns.n_rows:
            return None if self.log is None else []
        request_id = f"{self.run_id}-{number}"
        with self.log.cursor() as cursor:
            found = cursor.execute(
                "SELECT prediction_id FROM predictions WHERE request_id = $1 ORDER BY instance",
                [request_id],
            ).fetchall()
        if found:
            return [each for (each,) in found]
        instances = said.columns.to_instances()
        stored = self.log.append(
            request_id=request_id,
            ids=instances.ids,
            values=instances.values,
            outputs=said.outputs,
            warnings=instances.warnings,
            inference_ms=took_ms,
        )
        return stored.prediction_ids


def _told(fault: ColumnFault) -> str:
    column = f"{fault.name}: " if fault.name else ""
    return (
        f"{column}{fault.detail}"
        if fault.row is None
        else f"row {fault.row + 1}: {column}{fault.detail}"
    )
