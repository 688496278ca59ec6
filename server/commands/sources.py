"""Where the commands ask: the database itself, or the server that has it open."""

import argparse
import contextlib
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPResponse
from typing import IO, Any, Protocol

import duckdb

from server.access.hosts import own_address
from server.config import Settings
from server.sql.guard import SqlRefused
from server.sql.query import Limits, SqlQueries
from server.storage.database import LogUnusable, fold, open_database, query_folder
from server.storage.power_loss import mend_after_power_loss

# A command line has no others to think of: an hour, and as many rows as there are.
LIMITS = Limits(rows=10**9, time_s=3_600)
# How often to ask a server again that is busy, each time a second later.
_TRIES = 30


class SqlSource(Protocol):
    """Answers queries: as columns and rows, or as the bytes of a file."""

    name: str

    def table(self, statement: str, given: Mapping[str, str]) -> tuple[list[str], list[Any], bool]:
        """Return names, rows and whether there are more rows."""

    def file(self, statement: str, given: Mapping[str, str], form: str) -> IO[bytes]:
        """Return all rows in one of the forms."""


def add_url_to(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the server to `parser`."""
    parser.add_argument("--url", help="the server that has the log open; default: as set")


@contextlib.contextmanager
def source_of(settings: Settings, url: str | None) -> Iterator[SqlSource]:
    """Open the database, or turn to the server that has it open, to ask it in SQL.

    Raises
    ------
    LogUnusable
        If there is no database, and no server at `url` either.
    """
    with database_or_server(settings, url) as found:
        if isinstance(found, RunningServer):
            yield found
            return
        queries = SqlQueries(found.cursor, query_folder(settings.database), LIMITS)
        yield DatabaseSource(str(settings.database), queries)


@contextlib.contextmanager
def database_or_server(
    settings: Settings, url: str | None
) -> Iterator["duckdb.DuckDBPyConnection | RunningServer"]:
    """Open the database, or turn to the server that has it open.

    Raises
    ------
    LogUnusable
        If there is no database, or it is damaged or out of reach.
    """
    if not settings.database.exists():
        raise LogUnusable(f"{settings.database}: no such file: set SEXTANT_DATABASE to the log")
    mend_after_power_loss(settings.database)
    try:
        database = open_database(settings.database)
    except LogUnusable as error:
        if "another process has it open" not in str(error):
            raise
        yield RunningServer(url or address_of(settings), str(error), settings.key)
        return
    with database:
        yield database
        fold(database)


def address_of(settings: Settings) -> str:
    """Return where a server with these settings answers."""
    return own_address(settings.host, settings.port)


class DatabaseSource:
    """The database itself, open in this process."""

    def __init__(self, name: str, queries: SqlQueries) -> None:
        self.name = name
        self._queries = queries

    def table(self, statement: str, given: Mapping[str, str]) -> tuple[list[str], list[Any], bool]:
        """Return names, rows and whether there are more rows."""
        result = self._queries.rows(statement, given, LIMITS.rows)
        names = [column.name for column in result.columns]
        return names, [json.loads(row) for row in result.rows], result.truncated

    def file(self, statement: str, given: Mapping[str, str], form: str) -> IO[bytes]:
        """Return all rows in one of the forms."""
        return self._queries.file(statement, given, form)


class RunningServer:
    """The server that has the database open."""

    def __init__(self, url: str, why: str, key: str) -> None:
        self.name = url
        self._why = why
        self._key = key

    def table(self, statement: str, given: Mapping[str, str]) -> tuple[list[str], list[Any], bool]:
        """Return names, rows and whether there are more rows."""
        with self._ask(statement, given, "json") as response:
            answer = json.load(response)
        return [each["name"] for each in answer["columns"]], answer["rows"], answer["truncated"]

    def file(self, statement: str, given: Mapping[str, str], form: str) -> IO[bytes]:
        """Return all rows in one of the forms."""
        return self._ask(statement, given, form)

    def _ask(self, statement: str, given: Mapping[str, str], form: str) -> IO[bytes]:
        body = urllib.parse.urlencode({"q": statement, **given}).encode()
        return self.answer(urllib.request.Request(f"{self.name}/sql.{form}", body))  # noqa: S310  # an address of the settings

    def send(self, path: str, content: Any) -> HTTPResponse:
        """Post `content` as JSON, and return the answer."""
        headers = {"Content-Type": "application/json"}
        body = json.dumps(content).encode()
        return self.answer(urllib.request.Request(f"{self.name}{path}", body, headers))  # noqa: S310  # an address of the settings

    def answer(self, request: urllib.request.Request) -> HTTPResponse:
        """Return what the server answers; one that is busy is asked again for a while.

        Raises
        ------
        SqlRefused
            If it refuses; the message has its words.
        LogUnusable
            If no server answers.
        """
        if self._key:
            # Where the server points elsewhere, it does not go.
            request.add_unredirected_header("Authorization", f"Bearer {self._key}")
        for _ in range(_TRIES):
            try:
                answer: HTTPResponse = urllib.request.urlopen(request)  # noqa: S310  # an address of the settings
                return answer
            except urllib.error.HTTPError as error:
                with error:
                    detail = _detail(error)
                if error.code != 503:
                    raise SqlRefused(f"{self.name} answers {error.code}: {detail}") from None
                time.sleep(1)
            except urllib.error.URLError as error:
                raise LogUnusable(
                    f"{self._why}\nand no server answers at {self.name} ({error.reason}): name it "
                    "with --url"
                ) from error
        raise SqlRefused(f"{self.name} is too busy: {detail}")


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return error.reason
