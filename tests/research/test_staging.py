"""The same table in any format gives the same rows, and what is no table is told apart."""

import gzip
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

from research.data import InvalidTable, checked, read_survey
from research.simulate import simulate
from tests.conftest import SURVEY

FORMATS = ["tsv", "semicolons", "json", "ndjson", "parquet", "fits", "votable", "gzip", "gzip fits"]


def write(table: pd.DataFrame, form: str, path: Path) -> None:
    """Write a table in a format, under a name that says nothing of it."""
    if form.startswith("gzip"):
        plain = path.with_suffix(".plain")
        write(table, form.removeprefix("gzip").strip() or "csv", plain)
        with plain.open("rb") as file, gzip.open(path, "wb") as packed:
            shutil.copyfileobj(file, packed)
    elif form in ("csv", "tsv", "semicolons"):
        table.to_csv(path, index=False, sep={"tsv": "\t", "semicolons": ";"}.get(form, ","))
    elif form in ("json", "ndjson"):
        rows = [json.dumps(row) for row in table.to_dict(orient="records")]
        path.write_text("\n".join(rows) if form == "ndjson" else f"[{', '.join(rows)}]")
    elif form == "parquet":
        table.to_parquet(path)
    else:
        if form == "votable":
            # It has no unsigned numbers of 64 bits.
            table = table.astype(dict.fromkeys(["objid", "specobjid"], "str"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Table.from_pandas(table).write(path, format=form)


@pytest.fixture(scope="module")
def simulated() -> pd.DataFrame:
    table = simulate(400)
    table.loc[7, "u"] = -9999.0
    return table


@pytest.fixture(scope="module")
def kept(simulated: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("csv") / "table"
    write(simulated, "csv", path)
    return read_survey(path)


@pytest.mark.parametrize("form", FORMATS)
def test_a_copy_in_another_format_gives_the_same_rows(
    simulated: pd.DataFrame, kept: pd.DataFrame, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "table.dat"
    write(simulated, form, path)

    pd.testing.assert_frame_equal(read_survey(path), kept, check_exact=True)


@pytest.mark.slow
@pytest.mark.skipif(not SURVEY, reason="SEXTANT_SURVEY names no real table")
@pytest.mark.parametrize("form", FORMATS)
def test_a_copy_of_the_real_table_gives_the_same_rows(
    survey: pd.DataFrame, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "table.dat"
    write(pd.read_csv(SURVEY or ""), form, path)

    pd.testing.assert_frame_equal(read_survey(path), survey, check_exact=True)


@pytest.mark.parametrize("form", ["parquet", "fits"])
def test_single_precision_gives_the_digits_that_were_written(
    simulated: pd.DataFrame, kept: pd.DataFrame, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "table"
    single = simulated.astype(dict.fromkeys("ugriz", np.float32))
    write(single, form, path)

    read = read_survey(path)

    np.testing.assert_array_equal(
        read[list("ugriz")].astype(np.float32), kept[list("ugriz")].astype(np.float32)
    )


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet", "fits", "votable"])
def test_a_blank_is_a_blank_in_every_format(
    simulated: pd.DataFrame, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "table"
    holes = simulated.assign(g=simulated["g"].where(simulated.index != 3))
    write(holes, form, path)

    with checked(path) as table:
        first = table.connection.execute("FROM rejects ORDER BY row").fetchone()

    assert first == (4, "g", None, "missing")


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


@pytest.mark.parametrize("form", ["csv", "ndjson", "json", "parquet", "gzip"])
@pytest.mark.parametrize("rows", [400, pytest.param(70_000, marks=pytest.mark.slow)])
def test_rows_keep_their_order_and_number(form: str, rows: int, tmp_path: Path) -> None:
    path = tmp_path / "table"
    lines = np.arange(rows)
    good = dict(zip(HEADER.split(","), [19, 18, 17, 16, 15, 0.1, "GALAXY", 266], strict=True))
    write(pd.DataFrame({**good, "u": lines % 20000 / 1000, "objid": lines}), form, path)

    with checked(path) as table:
        query = "SELECT count(*), sum(CAST(objid != rowid AS INTEGER)) FROM raw"
        assert table.connection.execute(query).fetchall() == [(rows, 0)]


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


@pytest.mark.parametrize("form", ["fits", "votable", "parquet", "json", "ndjson", "gzip"])
def test_a_file_that_ends_too_early_is_refused(
    simulated: pd.DataFrame, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "table"
    write(simulated, form, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(InvalidTable, match="cannot be"):
        read_survey(path)


@pytest.mark.parametrize("form", ["fits", "votable", "parquet"])
def test_a_table_without_rows_is_refused_in_every_format(
    simulated: pd.DataFrame, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "table"
    write(simulated[:0].astype({"class": "str"}), form, path)

    with pytest.raises(InvalidTable, match="no rows"):
        read_survey(path)


def test_columns_that_hold_arrays_are_passed_over(simulated: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "table.fits"
    table: Any = Table.from_pandas(simulated)
    table["spectrum"] = np.zeros((len(table), 5))
    table.write(path, format="fits")

    assert len(read_survey(path)) == len(simulated) - 1


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
