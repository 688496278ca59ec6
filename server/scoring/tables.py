"""Open a table whatever its format, so that any range of its rows can be read."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from server.scoring.staging import (
    PART_ROWS,
    InvalidTable,
    check_names,
    pattern,
    stage_csv,
    stage_ndjson,
)

FORMS = ("csv", "ndjson", "parquet")


@dataclass(frozen=True)
class Table:
    """Rows in a Parquet file, or in a folder of them, that are read by their numbers.

    `form` is the format they came in: of CSV every column is text, of NDJSON the JSON of values.
    """

    path: Path
    form: str
    types: dict[str, str]
    rows: int

    def of_part(self, number: int) -> str:
        """Return the FROM of a part's rows, in their order where one thread reads them."""
        if self.path.is_dir():
            return f"FROM read_parquet({pattern(self.path / f'{number:06}.parquet')})"
        first = number * PART_ROWS
        return (
            f"FROM read_parquet({pattern(self.path)}, file_row_number = true) "
            f"WHERE file_row_number >= {first} AND file_row_number < {first + PART_ROWS}"
        )

    @property
    def parts(self) -> int:
        """How many parts there are; a table without rows has one as well."""
        return max(-(-self.rows // PART_ROWS), 1)


def form_of(path: Path, given: str | None) -> str:
    """Return the format of `path`, as `given` or by the end of its name."""
    name = path.name.lower().removesuffix(".gz")
    ends = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet"}
    form = given or next((form for end, form in ends.items() if name.endswith(end)), None)
    if form is None:
        raise InvalidTable(f"{path}: ends in none of {', '.join(ends)}: say which format it is")
    if form == "parquet" and path.name.lower().endswith(".gz"):
        raise InvalidTable(f"{path}: Parquet is compressed inside, without .gz")
    return form


def open_table(path: Path, form: str, folder: Path) -> Table:
    """Open `path`; text is first brought into Parquet in `folder`, unless it is there.

    Raises
    ------
    InvalidTable
        If it is damaged, or two columns have one name.
    """
    with duckdb.connect(config={"threads": 1, "temp_directory": str(folder)}) as connection:
        try:
            staged = path if form == "parquet" else folder / "input"
            if not staged.exists():
                growing = folder / "input.part"
                shutil.rmtree(growing, ignore_errors=True)
                growing.unlink(missing_ok=True)
                {"csv": stage_csv, "ndjson": stage_ndjson}[form](connection, path, growing)
                growing.replace(staged)
            return _opened(connection, staged, form)
        except duckdb.Error as error:
            told = str(error).partition("\n\n")[0].replace("\n", " ")
            raise InvalidTable(f"{path}: {told}") from None


def _opened(connection: duckdb.DuckDBPyConnection, path: Path, form: str) -> Table:
    files = pattern(path / "x").replace("/x'", "/*.parquet'") if path.is_dir() else pattern(path)
    nodes = connection.execute(
        "SELECT name, coalesce(num_children, 0) FROM parquet_schema("
        f"{pattern(path / '000000.parquet') if path.is_dir() else files})"
    ).fetchall()
    check_names(path, _names(nodes))
    described = connection.execute(f"DESCRIBE FROM read_parquet({files})").fetchall()
    found = connection.execute(f"SELECT sum(num_rows) FROM parquet_file_metadata({files})")
    ((rows,),) = found.fetchall()
    return Table(path, form, {name: kind for name, kind, *_ in described}, int(rows))


def _names(nodes: Sequence[tuple[str, int]]) -> list[str]:
    """Return the columns of a Parquet schema, which lists every node before what is in it."""
    names: list[str] = []
    below = 0  # nodes still to come that lie in the last column
    for name, n_children in nodes[1:]:
        if below == 0:
            names.append(name)
            below = 1
        below += n_children - 1
    return names
