"""A table comes from a path, a URL or a database, with the same rows."""

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
from sqlalchemy import create_engine

from research.data import InvalidTable, checked, read_survey
from research.simulate import simulate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    simulate(300).to_csv(folder / "table.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def kept(folder: Path) -> pd.DataFrame:
    return read_survey(folder / "table.csv")


@pytest.fixture(scope="module")
def base_url(folder: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            if self.path != "/cut":
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"u,g,r\n")
            return None

    handler = partial(Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_url_gives_the_rows_of_its_file(base_url: str, kept: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(read_survey(f"{base_url}/table.csv?any=1"), kept)


def test_a_file_url_gives_the_rows_of_its_file(folder: Path, kept: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(read_survey((folder / "table.csv").as_uri()), kept)


def test_a_url_that_answers_an_error_is_told(base_url: str) -> None:
    with pytest.raises(requests.HTTPError, match="404"):
        read_survey(f"{base_url}/none.csv")


def test_an_answer_that_is_cut_is_refused(base_url: str) -> None:
    with pytest.raises(OSError, match="IncompleteRead"):
        read_survey(f"{base_url}/cut")


@pytest.mark.parametrize("url", ["ftp://host/table.csv", "sqlite:///sky.db"])
def test_a_url_that_needs_something_else_is_told(url: str) -> None:
    with pytest.raises(InvalidTable, match="is none of the first, and there is no query"):
        read_survey(url)


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
