"""A table comes from a path, a URL or a database, with the same rows."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from research.data import InvalidTable, read_survey
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
