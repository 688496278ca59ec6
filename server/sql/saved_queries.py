"""The queries that come with the server: a folder of .sql files, each with its title on top."""

from dataclasses import dataclass
from pathlib import Path

from server.sql.query import PUBLISHED, SqlQueries

_FOLDER = Path(__file__).parent / "queries"


@dataclass(frozen=True)
class SavedQuery:
    """One query: what it is called, what it answers, and why it does not run here, if so."""

    name: str
    title: str
    sql: str
    misfit: str | None


class SavedQueries:
    """The saved queries, tried against the columns that the log has now."""

    def __init__(self, queries: SqlQueries, folder: Path = _FOLDER) -> None:
        self._queries = queries
        self._texts = {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.sql"))}
        self._known: tuple[object, list[SavedQuery]] | None = None

    def all(self) -> list[SavedQuery]:
        """Return all of them; what does not fit the log's columns says why."""
        schemas = map(self._queries.schema, PUBLISHED)
        key = [[(column.name, column.kind) for column in schema] for schema in schemas]
        if self._known is None or self._known[0] != key:
            self._known = (key, [self._load(name, text) for name, text in self._texts.items()])
        return self._known[1]

    def _load(self, name: str, text: str) -> SavedQuery:
        first, _, sql = text.partition("\n")
        return SavedQuery(
            name, first.removeprefix("--").strip(), sql.strip(), self._queries.misfit(sql)
        )
