"""Open the DuckDB file, or say why it cannot be opened and what to do."""

import contextlib
from pathlib import Path

import duckdb

from server.storage.memory import most_bytes
from server.storage.parts import literal
from server.storage.write_ahead import look_at_wal, wals_of

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    # The writer makes checkpoints itself, once those who wait have their answer; this is for what
    # else writes. They hold up every commit, and do so briefly where they do not put together what
    # earlier ones have written. That is done where rows are removed.
    "checkpoint_threshold": "16MB",
    "max_vacuum_tasks": 0,
    "allowed_configs": ["max_vacuum_tasks", "memory_limit"],
    # Written so that DuckDB 1.4 and later can read it.
    "storage_compatibility_version": "v1.4.0",
    # Nothing is fetched from anywhere.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # SQL from users sees neither variables of Python's nor keeps secrets.
    "python_enable_replacements": False,
    "allow_persistent_secrets": False,
    # Beyond the memory they may take, queries spill to disk, up to this.
    "max_temp_directory_size": "4GB",
}
# Most memory for the log and all queries together, and what is left of it when it is trimmed.
_MEMORY_BYTES, _TRIMMED_BYTES = 10**9, 8 * 10**6


class LogUnusable(Exception):
    """The database cannot be opened; the message says why and what to do."""


def open_database(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the database at `path`, making it and its folder where they are missing.

    Where it is closed, nothing is written into it: see `fold`.

    Raises
    ------
    LogUnusable
        If it is in use by another process, damaged, no database, or out of reach.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LogUnusable(
            f"{path}: {path.parent} cannot be made a folder ({error.strerror})"
        ) from error
    if path.exists() and not path.is_file():
        raise LogUnusable(f"{path}: this is no file: set SEXTANT_DATABASE to one")
    _check_wal(path)
    try:
        # An absolute path, because DuckDB takes :memory: and the like for something else.
        config = _CONFIG | {"memory_limit": _memory_limit()}
        connection = duckdb.connect(str(path.absolute()), config=config)
        try:
            connection.execute("PRAGMA disable_checkpoint_on_shutdown")
            _lock(connection, query_folder(path), keeping_folder(path))
        except duckdb.Error:
            connection.close()
            raise
        return connection
    except (duckdb.Error, RuntimeError) as error:
        raise unusable(path, error) from error


def fold(connection: duckdb.DuckDBPyConnection) -> None:
    """Write what stands in the write-ahead log into the one file, if that can be done.

    Not after a commit that failed: what is in memory may be something else than was committed.
    """
    with contextlib.suppress(duckdb.Error):
        connection.execute("CHECKPOINT")


def trim_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Let go of blocks of the file that are kept in memory in case somebody reads them.

    Nobody may read meanwhile: there would be too little memory for it.
    """
    with contextlib.suppress(duckdb.Error):  # as much as there is
        connection.execute(f"SET memory_limit = '{_TRIMMED_BYTES}B'")
    connection.execute(f"SET memory_limit = '{_memory_limit()}'")


def _memory_limit() -> str:
    return f"{most_bytes(_MEMORY_BYTES, parts=6)}B"


def _check_wal(path: Path) -> None:
    # A running server's are never found damaged.
    for wal in wals_of(path):
        if wal.is_file() and look_at_wal(wal).is_damaged:
            raise LogUnusable(
                f"{path}: its write-ahead log is damaged, and DuckDB would drop what was committed "
                f"behind the damage: keep both, {path.name} and {wal.name}; python -m server "
                "doctor says what can be saved"
            )


def query_folder(path: Path) -> Path:
    """Return the folder beside the database at `path` where downloads of SQL are made ready."""
    return path.absolute().with_name(f"{path.name}.queries")


def keeping_folder(path: Path) -> Path:
    """Return the folder beside the database at `path` where backups and exports are made ready."""
    return path.absolute().with_name(f"{path.name}.keeping")


def _lock(connection: duckdb.DuckDBPyConnection, *folders: Path) -> None:
    # In this order: later there is no way to allow a folder, and then none to change anything.
    allowed = ", ".join(literal(f"{folder}/") for folder in folders)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def unusable(path: Path, error: Exception) -> LogUnusable:
    """Return what to tell whoever wanted to use the database at `path`."""
    first_line = str(error).partition("\n")[0]
    if isinstance(error, LogUnusable):
        return LogUnusable(f"{path}: {error}")
    if "lock on file" in first_line:
        mend = "another process has it open: stop that one, or set SEXTANT_DATABASE to another file"
    elif "ermission denied" in first_line:
        mend = "this user may not write there: change that, or set SEXTANT_DATABASE"
    elif "not a valid DuckDB" in first_line or "is a directory" in first_line.lower():
        mend = "this is no DuckDB database: set SEXTANT_DATABASE to another file"
    elif "storage version number" in first_line:
        mend = (
            f"DuckDB {duckdb.__version__}, which is at work here, does not know this version of "
            "the format: use the version of Sextant that wrote it, or a newer one"
        )
    elif "No space left" in first_line:
        mend = "the disk is full: free some space"
    else:
        mend = (
            f"the database or its write-ahead log is damaged: keep both, {path.name} and "
            f"{path.name}.wal hold predictions; python -m server doctor says what can be saved, "
            "and with both moved elsewhere a new log begins"
        )
    return LogUnusable(f"{path}: {mend}\n({first_line})")
