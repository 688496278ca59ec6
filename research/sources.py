"""Bring a table to a local file: from a path or a URL, unpacked."""

import gzip
import shutil
import zlib
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from research import web
from research.formats import tell_format
from research.schema import InvalidTable

_UNPACKED = "unpacked"


def bring(source: str, folder: Path) -> Path:
    """Return a file in `folder` that holds what the source holds, packed or not.

    It gets a name of ours: readers would take a star or a bracket in the source's for a pattern.
    """
    table = folder / "table"
    parts = urlsplit(source)
    if parts.scheme in ("http", "https"):
        web.fetch(source, table)
        return table
    if "://" in source and parts.scheme != "file":
        raise InvalidTable(
            "A table is read from http, https or file, or from a database with a query; "
            f"{parts.scheme} is none of the first, and there is no query."
        )
    path = Path(url2pathname(parts.path)) if parts.scheme == "file" else Path(source)
    if not path.exists():
        raise InvalidTable(f"{source} does not exist.")
    if not path.is_file():
        raise InvalidTable(f"{source} is no file; name the table itself.")
    table.symlink_to(path.resolve())
    return table


def unpack(path: Path, source: str) -> tuple[Path, str]:
    """Return the file without its gzip, if it has one, and its format."""
    kind = tell_format(path, source)
    if kind != "gzip":
        return path, kind
    unpacked = path.with_name(_UNPACKED)
    try:
        with gzip.open(path) as packed, unpacked.open("wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidTable(
            f"{source} is a gzip file that cannot be unpacked: {error}. Download it again."
        ) from error
    kind = tell_format(unpacked, source)
    if kind == "gzip":
        raise InvalidTable(f"{source} is packed twice; unpack it once.")
    return unpacked, kind
