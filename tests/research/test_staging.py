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


@pytest.mark.parametrize("form", ["csv", "ndjson", "json", "parquet", "gzip"])
@pytest.mark.parametrize("rows", [400, pytest.param(70_000, marks=pytest.mark.slow)])
def test_rows_keep_their_order_and_number(form: str, rows: int, tmp_path: Path) -> None:
    path = tmp_path / "table"
    lines = np.arange(rows)
    names = ["u", "g", "r", "i", "z", "redshift", "class", "plate"]
    good = dict(zip(names, [19, 18, 17, 16, 15, 0.1, "GALAXY", 266], strict=True))
    write(pd.DataFrame({**good, "u": lines % 20000 / 1000, "objid": lines}), form, path)

    with checked(path) as table:
        query = "SELECT count(*), sum(CAST(objid != rowid AS INTEGER)) FROM raw"
        assert table.connection.execute(query).fetchall() == [(rows, 0)]


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
