"""The files of pairs, what was answered beside what would be, as one view to ask."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from server.contract import Contract
from server.storage.parts import literal


class Pairs:
    """Asks the pairs in a folder, and names what it is answered; memory is DuckDB's to bound."""

    def __init__(self, folder: Path) -> None:
        self._connection = duckdb.connect(config={"temp_directory": str(folder)})
        self._connection.execute(
            f"CREATE VIEW pairs AS SELECT * FROM read_parquet({literal(f'{folder}/*.pairs')})"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def rows(self, select: str, behind: str = "") -> list[dict[str, Any]]:
        """Return what `select` says of the pairs."""
        found = self._connection.execute(f"SELECT {select} FROM pairs {behind}")
        names = [name for name, *_ in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def row(self, select: str) -> dict[str, Any]:
        """Return the one row of `select`."""
        return self.rows(select)[0]

    def write_changes(self, contract: Contract, beyond: float, to: Path) -> int:
        """Write those whose label changed, or that moved beyond; return how many."""
        changed = "stored.label IS DISTINCT FROM replayed.label OR " if contract.class_names else ""
        (count,) = self._connection.execute(
            f"COPY (SELECT * FROM pairs WHERE {changed} moved > {beyond} "
            f"ORDER BY moved DESC NULLS LAST) "
            f"TO {literal(str(to))} (FORMAT parquet, COMPRESSION zstd)"
        ).fetchone() or (0,)
        return int(count)
