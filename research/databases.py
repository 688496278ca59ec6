"""Read the rows of a SQL query on a database, a batch at a time."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from research.schema import InvalidTable

ROWS_AT_ONCE = 20_000


def without_password(url: str) -> str:
    """Return a database's URL as it may be shown.

    Raises
    ------
    InvalidTable
        When it is no URL of a database.
    """
    return _parsed(url).render_as_string(hide_password=True)


def read_query(url: str, query: str) -> Iterator[pd.DataFrame]:
    """Yield the rows of a query; at least one frame, perhaps empty. Nothing is ever committed.

    Raises
    ------
    InvalidTable
        When the database does not answer, or the query fails.
    """
    parsed = _parsed(url)
    shown = without_password(url)
    if parsed.drivername.startswith("sqlite") and not Path(parsed.database or "").is_file():
        raise InvalidTable(f"{shown} does not exist.")
    try:
        engine = create_engine(parsed)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise InvalidTable(f"{shown}: {error}. SQLite and PostgreSQL can be read.") from error
    try:
        with engine.connect().execution_options(yield_per=ROWS_AT_ONCE) as connection:
            result = connection.execute(text(query))
            if not result.returns_rows:
                raise InvalidTable(f"{shown}: the query returns no rows; give a SELECT.")
            names = list(result.keys())
            yield pd.DataFrame(columns=names, dtype=str)
            for batch in result.partitions(ROWS_AT_ONCE):
                yield pd.DataFrame([_texts(row) for row in batch], columns=names, dtype=str)
    except SQLAlchemyError as error:
        raise InvalidTable(f"{shown}: {str(error).splitlines()[0]}") from error
    finally:
        engine.dispose()


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise InvalidTable(
            "A query needs the URL of a database, as sqlite:///survey.db or "
            "postgresql://name@host/database."
        ) from error


def _texts(row: Iterable[object]) -> list[str | None]:
    return [None if value is None else str(value) for value in row]
