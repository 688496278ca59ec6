"""Tell by its first bytes what a file holds; its name says nothing we trust."""

from pathlib import Path

from research.schema import InvalidTable

_HEAD_BYTES = 65_536
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MAGIC = {b"\x1f\x8b": "gzip", b"PAR1": "parquet", b"SIMPLE  =": "fits"}
# What people have at hand by mistake, and what to do about it.
_NO_TABLE = {
    b"%PDF": "a PDF document, not a table",
    b"PK\x03\x04": "a zip archive or a spreadsheet; unpack it, or save it as CSV",
    b"BZh": "compressed by bzip2; unpack it first",
    b"\xfd7zXZ": "compressed by xz; unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; unpack it first",
    b"SQLite format 3": "a SQLite database; name it as sqlite:///path and give a --query",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}


def tell_format(path: Path, source: str) -> str:
    """Return gzip, parquet, fits, votable, json, ndjson or delimited.

    Raises
    ------
    InvalidTable
        When the file is empty, or something that holds no table we read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    for magic, what in _NO_TABLE.items():
        if head.startswith(magic):
            raise InvalidTable(f"{source} is {what}.")
    return _tell_text(head.removeprefix(_BYTE_ORDER_MARK).lstrip(), source)


def _tell_text(text: bytes, source: str) -> str:
    if not text:
        raise InvalidTable(f"{source} is empty.")
    if text.startswith(b"<"):
        return _tell_markup(text, source)
    if text.startswith((b"{", b"[")):
        return "ndjson" if text.startswith(b"{") else "json"
    if b"\x00" in text:
        raise InvalidTable(
            f"{source} is binary and neither Parquet nor FITS; it begins with {text[:8]!r}."
        )
    return "delimited"


def _tell_markup(text: bytes, source: str) -> str:
    if b"VOTABLE" in text:
        return "votable"
    if b"<html" in text.lower():
        raise InvalidTable(
            f"{source} is a web page, not a table: perhaps an error where a download was expected. "
            "Open it in a browser to see what it says."
        )
    raise InvalidTable(f"{source} is XML and no VOTable.")
