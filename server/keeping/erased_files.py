"""Find exported files that hold what is erased, and write them anew without it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import duckdb

from server.keeping.archive import rows_in, sync_folder, write_whole
from server.keeping.erasure import Person
from server.keeping.old_labels import labels_folder
from server.keeping.old_shadows import shadows_folder
from server.storage.parts import literal

_THEIRS = (
    "(coalesce(prediction_id IN (SELECT unnest($ids::UUID[])), false) OR coalesce(id = $id, false))"
)


@dataclass(frozen=True)
class Holding:
    """A file that holds rows of a person, and by which ids; None rows where it cannot be read."""

    path: Path
    rows: int | None
    ids: frozenset[UUID]


def find_files(to: Path, person: Person, ids: Iterable[UUID]) -> Iterator[Holding]:
    """Yield the files under `to`, and those beside it, that hold `person` or `ids`.

    Predictions that bear the caller's id and are in the log no more add theirs to the ids.
    """
    known = {*ids, *([person.prediction_id] if person.prediction_id else [])}
    with duckdb.connect() as reader:
        for folder in (to, labels_folder(to), shadows_folder(to)):
            for path in sorted(folder.rglob("*.parquet")):
                query = f"SELECT prediction_id FROM {_file(path)} WHERE {_THEIRS}"  # noqa: S608  # a literal
                try:
                    found = reader.execute(query, _values(person, known)).fetchall()
                except duckdb.Error:
                    yield Holding(path, None, frozenset())
                    continue
                known |= {each for (each,) in found if each is not None}
                if found:
                    yield Holding(path, len(found), frozenset(known))


def rewrite(holding: Holding, person: Person) -> None:
    """Write the file anew without those rows; one that holds nothing else is deleted.

    Raises
    ------
    OSError
        If it cannot be written; then it is as it was.
    """
    path = holding.path
    made = path.with_name(f".{path.name}.anew")
    with duckdb.connect() as writer:
        whole = rows_in(path, writer)
        try:
            writer.execute(
                f"COPY (SELECT * FROM {_file(path)} WHERE NOT {_THEIRS}) TO {literal(str(made))} "  # noqa: S608  # literals
                "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)",
                _values(person, holding.ids),
            )
            left = rows_in(made, writer)
            if whole is None or holding.rows is None or left != whole - holding.rows:
                raise OSError(f"{path}: its copy without {person} is not what it should be")
            if left:
                with made.open("rb") as content:
                    write_whole(content, path)
            else:
                path.unlink()
                sync_folder(path.parent)
        finally:
            made.unlink(missing_ok=True)


def _file(path: Path) -> str:
    # The folders name columns too, which the file does not hold.
    return f"read_parquet({literal(str(path.absolute()))}, hive_partitioning = false)"


def _values(person: Person, ids: Iterable[UUID]) -> dict[str, object]:
    return {"ids": [str(each) for each in ids], "id": person.caller_id}
