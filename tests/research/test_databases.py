"""A query on a database gives the rows that a file of them does, and changes nothing."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import create_engine

from research.data import InvalidTable, checked, read_survey
from research.simulate import simulate


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("kept") / "table.csv"
    simulate(300).to_csv(path, index=False)
    return read_survey(path)


def sqlite_of(path: Path, table: pd.DataFrame) -> str:
    engine = create_engine(f"sqlite:///{path}")
    # SQLite has no integers beyond 63 bits.
    table.astype({"objid": "int64", "specobjid": "int64"}).to_sql("sky", engine, index=False)
    engine.dispose()
    return f"sqlite:///{path}"


def test_a_query_on_sqlite_gives_its_rows(tmp_path: Path, kept: pd.DataFrame) -> None:
    url = sqlite_of(tmp_path / "sky.db", kept)

    read = read_survey(url, "SELECT * FROM sky")

    pd.testing.assert_frame_equal(read, kept, check_exact=True)


def test_a_row_of_a_query_is_rejected_as_one_of_a_file_is(
    tmp_path: Path, kept: pd.DataFrame
) -> None:
    url = sqlite_of(tmp_path / "sky.db", kept)

    with checked(
        url,
        "SELECT *, NULL AS mjd FROM (SELECT u - 9999 * (ra < 180) AS u, g, r, i, z, "
        "redshift, class, plate FROM sky)",
    ) as table:
        assert table.summary["nulls"] == {"mjd": len(kept)}
        assert table.summary["rows_rejected"] == (kept["ra"] < 180).sum()


@pytest.mark.parametrize(
    ("url", "query", "said"),
    [
        ("sqlite:///{}/none.db", "SELECT 1", "none.db does not exist"),
        ("sqlite:///{}/sky.db", "SELECT * FROM nowhere", "no such table: nowhere"),
        ("sqlite:///{}/sky.db", "DELETE FROM sky", "the query returns no rows; give a SELECT"),
        ("sqlite:///{}/sky.db", "SELECT * FROM sky WHERE u > 99", "no rows"),
        ("sqlite:///{}/sky.db", "SELECT u FROM sky", "has no column g, r"),
        ("{}/sky.db", "SELECT 1", "needs the URL of a database"),
        ("oracle://me:secret@host/x", "SELECT 1", r"oracle://me:\*\*\*@host/x.*SQLite and Postgre"),
        ("postgresql://me:secret@127.0.0.1:9/x", "SELECT 1", r"me:\*\*\*@.*refused"),
    ],
)
def test_a_query_that_gives_no_table_is_told_without_the_password(
    url: str, query: str, said: str, tmp_path: Path, kept: pd.DataFrame
) -> None:
    sqlite_of(tmp_path / "sky.db", kept)

    with pytest.raises(InvalidTable, match=said) as told:
        read_survey(url.format(tmp_path), query)

    assert "secret" not in str(told.value)


def test_a_query_changes_nothing(tmp_path: Path, kept: pd.DataFrame) -> None:
    url = sqlite_of(tmp_path / "sky.db", kept)
    with pytest.raises(InvalidTable):
        read_survey(url, "DELETE FROM sky")

    assert len(read_survey(url, "SELECT * FROM sky")) == len(kept)


def programs() -> Path | None:
    """Return where PostgreSQL's programs are: Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A cluster of its own, run by the user postgres, on a socket in a folder only."""
    where = programs()
    if where is None or shutil.which("runuser") is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    # The path of a socket must be short, and open to the user postgres: pytest's is neither.
    folder = Path(tempfile.mkdtemp(prefix="sextant-pg-"))
    shutil.chown(folder, "postgres")
    as_postgres = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
    subprocess.run([*as_postgres, where / "initdb", "-D", data, "-A", "trust"], **quiet)
    options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
    control = [*as_postgres, where / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    subprocess.run([*control, "-o", options, "start"], **quiet)
    yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    subprocess.run([*control, "-m", "fast", "stop"], **quiet)
    shutil.rmtree(folder)


@pytest.mark.slow
def test_a_query_on_postgresql_gives_its_rows(postgres: str, kept: pd.DataFrame) -> None:
    engine = create_engine(postgres)
    table = kept.astype({"objid": "int64", "specobjid": "int64"})
    table = table.astype(dict.fromkeys("ugriz", np.float32))
    table.to_sql("sky", engine, index=False)
    engine.dispose()

    read = read_survey(postgres, "SELECT * FROM sky ORDER BY specobjid")

    expected = kept.sort_values("specobjid", ignore_index=True)
    pd.testing.assert_frame_equal(read, expected, check_exact=True)


@pytest.mark.slow
def test_a_query_that_postgresql_refuses_is_told(postgres: str) -> None:
    with pytest.raises(InvalidTable, match='relation "nowhere" does not exist'):
        read_survey(postgres, "SELECT * FROM nowhere")
