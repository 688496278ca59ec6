"""The predictions that a filter lets through, as SQL over every table they may lie in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.browse.filters import Filter
from server.storage.fields import Kind, Source

_SQL_TYPES: dict[Kind, str] = {
    "number": "DOUBLE",
    "integer": "BIGINT",
    "text": "VARCHAR",
    "time": "TIMESTAMP",
}


@dataclass(frozen=True)
class Sql:
    """SQL with its bound values, in the order of its question marks."""

    text: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Selection:
    """A filter over the sources of a log; those in which nothing can fit are left out."""

    sources: Sequence[Source]
    filter: Filter

    def rows(
        self,
        columns: Mapping[str, str],
        also: Sequence[str] = ("prediction_id",),
        percent: float = 100,
    ) -> Sql:
        """Return a parenthesised SELECT of the rows that fit, for a FROM.

        Parameters
        ----------
        columns : mapping of str to str
            The field behind each column; where a source lacks it, it is NULL.
        also : sequence of str
            Stored columns to select under their own names.
        percent : float
            How much to read; below 100 a sample, always the same while no rows arrive.
        """
        sample = f" TABLESAMPLE system({percent}%) REPEATABLE (1)" if percent < 100 else ""
        selects: list[str] = []
        values: list[Any] = []
        for source in self.sources:
            where = self.filter.where(source)
            if where is None:
                continue
            each = [*also, *(self._column(source, *item) for item in columns.items())]
            table = f"{source.table}{sample}"
            selects.append(f"SELECT {', '.join(each)} FROM {table} WHERE {where.sql}")  # noqa: S608  # names of ours, or quoted
            values += where.values
        if not selects:
            nothing = [*(f"NULL::UUID AS {name}" for name in also)]
            nothing += [
                f"NULL::{self.sql_type(field)} AS {name}" for name, field in columns.items()
            ]
            selects = [f"SELECT {', '.join(nothing)} WHERE false"]
        return Sql(f"({' UNION ALL '.join(selects)})", tuple(values))

    def sql_type(self, name: str) -> str:
        """Return the type that holds a field of every source: text, if one of them is text."""
        kinds = {source.fields[name].kind for source in self.sources if name in source.fields}
        if len(kinds) > 1:
            return "VARCHAR" if "text" in kinds else "DOUBLE"
        return _SQL_TYPES[kinds.pop()] if kinds else "VARCHAR"

    def _column(self, source: Source, name: str, field: str) -> str:
        kind = self.sql_type(field)
        if field not in source.fields:
            return f"NULL::{kind} AS {name}"
        own = source.fields[field]
        # As it is stored, numbers are sooner compared.
        cast = own.sql if kind == _SQL_TYPES[own.kind] else f"{own.sql}::{kind}"
        return f"{cast} AS {name}"
