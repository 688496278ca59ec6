"""What is no table is told apart by its content, and what is an odd one is read."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from research.data import InvalidTable, read_survey

HEADER = "u,g,r,i,z,redshift,class,plate"
ROW = "19,18,17,16,15,0.1,GALAXY,266"

# What a file may look like and still be read: one good row in each.
READABLE: dict[str, bytes] = {
    "byte order mark": f"\ufeff{HEADER}\n{ROW}\n".encode(),
    "carriage returns": f"{HEADER}\r\n{ROW}\r\n".encode(),
    "no newline at the end": f"{HEADER}\n{ROW}".encode(),
    "blank lines": f"{HEADER}\n\n{ROW}\n\n".encode(),
    "the service's first line": f"#Table1\n{HEADER}\n{ROW}\n".encode(),
    "bars": f"{HEADER}\n{ROW}\n".replace(",", "|").encode(),
    "quoted line breaks": f'note,{HEADER}\n"two\nlines, ""quoted""",{ROW}\n'.encode(),
    "quoted names": f'"u",{HEADER[2:]}\n{ROW}\n'.encode(),
    "spaces": f"{HEADER}\n{ROW}\n".replace(",", " , ").encode(),
    "a name of no concern twice": f"note,note,{HEADER}\n1,2,{ROW}\n".encode(),
    "one object of JSON": json.dumps(
        dict(zip(HEADER.split(","), ROW.split(","), strict=True)), indent=1
    ).encode(),
}


@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE.keys())
def test_an_odd_file_that_means_a_table_is_read(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd [1]*.txt"
    path.write_bytes(content)

    assert read_survey(path)[["u", "class", "plate"]].to_numpy().tolist() == [[19, "GALAXY", 266]]


PACKED = gzip.compress(f"{HEADER}\n{ROW}\n".encode() * 99)
CASES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty"),
    "white space": (b" \n\n", "is empty"),
    "only a comment": (b"#Table1\n", "no line with the names"),
    "cut gzip": (PACKED[:-20], "cannot be unpacked.*Download it again"),
    "gzip with a fault": (PACKED[:30] + b"\x00\x00" + PACKED[32:], "cannot be unpacked"),
    "gzip in gzip": (gzip.compress(PACKED), "packed twice"),
    "a PDF": (b"%PDF-1.7\n...", "is a PDF document"),
    "a zip": (b"PK\x03\x04rest", "is a zip archive"),
    "SQLite": (b"SQLite format 3\x00", "sqlite:///path and give a --query"),
    "a web page": (b"<!DOCTYPE html><html><title>Error</title></html>", "is a web page"),
    "other XML": (b"<?xml version='1.0'?><rows/>", "is XML and no VOTable"),
    "UTF-16": (HEADER.encode("utf-16"), "UTF-16; save it as UTF-8"),
    "Latin letters": (f"{HEADER},é\n".encode("latin-1"), "not in UTF-8"),
    "Latin letters below": (
        f"{HEADER},note\n{ROW},é\n".encode("latin-1"),
        "not in UTF-8",
    ),
    "binary": (b"\x01\x00\x02\x00", "binary and neither Parquet nor FITS"),
    "header only": (f"{HEADER}\n".encode(), "a header and no rows"),
    "a column twice": (f"u,{HEADER}\n19,{ROW}\n".encode(), "two columns for u: u and u"),
    "a column by two names": (
        f"ra,alpha,{HEADER}\n1,1,{ROW}\n".encode(),
        "two columns for ra: ra and alpha",
    ),
    "columns missing": (b"u,g\n1,2\n", "has no column r, i, z, redshift, class, plate"),
    "a short line": (f"{HEADER}\n{ROW}\n1,2\n".encode(), r"Line: 3.*Columns: 8 Found: 2"),
    "a long line": (f"{HEADER}\n{ROW}\n{ROW},7\n".encode(), r"Line: 3.*Columns: 8 Found: 9"),
    "an open quote": (f'{HEADER}\n{ROW}\n"19,{ROW}\n'.encode(), "unterminated quote"),
    "cut JSON": (b'[{"u": 1}, {"u":', r"cannot be read as json: .*at byte 6 in record/value"),
    "cut NDJSON": (b'{"u": 1}\n{"u":', r"cannot be read as ndjson: .*at byte 6 in line"),
    "JSON without objects": (b"[1, 2]", "has no column u"),
    "no JSON objects at all": (b"[]", "has no column u"),
    "cut Parquet": (b"PAR1" + b"\x00" * 40, "cannot be read as parquet"),
    "cut FITS": (b"SIMPLE  =                    T", "FITS file that cannot be read"),
    "a VOTable without a table": (b"<?xml version='1.0'?><VOTABLE/>", "without a table"),
    "a cut VOTable": (b"<VOTABLE><RESOURCE><TABLE>", "VOTable that cannot be read"),
}


@pytest.mark.parametrize(("content", "said"), CASES.values(), ids=CASES.keys())
def test_what_is_no_table_is_refused_with_what_it_is(
    content: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)

    with pytest.raises(InvalidTable, match=f"(?s)table.csv.*{said}"):
        read_survey(path)


def test_an_image_in_fits_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "image.fits"
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(path)

    with pytest.raises(InvalidTable, match="FITS file without a table"):
        read_survey(path)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(InvalidTable, match="is no file"):
        read_survey(tmp_path)


def test_an_entity_that_grows_without_end_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xml"
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    path.write_text(
        f'<?xml version="1.0"?><!DOCTYPE V [<!ENTITY e0 "ha">{entities}]>'
        "<VOTABLE><DESCRIPTION>&e9;</DESCRIPTION></VOTABLE>"
    )

    with pytest.raises(InvalidTable):
        read_survey(path)
