"""Read a survey table from anywhere, check it, and say what was kept, what was not, and why.

Run it as ``python -m research.data table.csv --report``.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from rich.console import Console

from research.reconcile import reconcile, show_differences, write_differences
from research.schema import (
    CLASSES,
    FEATURES,
    GROUP,
    SENTINELS,
    SYNTHETIC,
    TARGET,
    Feature,
    InvalidTable,
)
from research.summary import show, write_kept, write_rejects
from research.table import CheckedTable, checked

__all__ = [
    "CLASSES",
    "FEATURES",
    "GROUP",
    "SENTINELS",
    "SYNTHETIC",
    "TARGET",
    "Feature",
    "InvalidTable",
    "checked",
    "read_survey",
    "save_checks",
    "split_columns",
]


def read_survey(source: str | Path, query: str | None = None) -> pd.DataFrame:
    """Return the rows of a table that can be trusted; `checked` tells of the others.

    Parameters
    ----------
    source, query
        As `checked` takes them.

    Returns
    -------
    DataFrame of the features and the plate as numbers, the class, and what else of the schema the
    table has, a row an object

    Raises
    ------
    InvalidTable, OSError
        As `checked` does, and when no row can be used.
    """
    with checked(source, query) as table:
        return table.survey()


def split_columns(survey: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Return X in float32, y, and the plate of every row.

    Trees compare in float32 once exported: a threshold learnt in float64 could fall on the other
    side of a value.
    """
    return survey[list(FEATURES)].astype(np.float32), survey[TARGET], survey[GROUP]


def save_checks(table: CheckedTable, folder: Path, name: str) -> list[Path]:
    """Write the summary as JSON and the rejected cells as CSV; return both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    summary, rejects = folder / f"{name}.summary.json", folder / f"{name}.rejects.csv"
    _write_json(table.summary, summary)
    write_rejects(table.connection, rejects)
    return [summary, rejects]


def _run(options: argparse.Namespace, console: Console) -> None:
    with checked(options.source, options.query) as table:
        out = options.out or options.folder / f"{_stem(options.source)}.parquet"
        written = save_checks(table, out.parent, out.stem)
        if options.out:
            write_kept(table.connection, out)
            written.append(out)
        if options.report:
            show(table.summary, console)
        if options.against:
            written += _compare(table, options, console)
    told = [f"{table.summary[f'rows_{what}']:,} {what}" for what in ("read", "kept", "rejected")]
    console.print(f"{table.summary['source']}: {', '.join(told)}; wrote", soft_wrap=True)
    for path in written:
        console.print(f"  {path}", soft_wrap=True)


def _compare(table: CheckedTable, options: argparse.Namespace, console: Console) -> list[Path]:
    with checked(options.against) as other:
        differences = reconcile(table.connection, other.connection)
    show_differences(differences, console, (str(options.source), options.against))
    path = options.folder / f"{_stem(options.source)}-against-{_stem(options.against)}"
    csv, summary = path.with_name(path.name + ".csv"), path.with_name(path.name + ".json")
    write_differences(table.connection, csv)
    _write_json(differences, summary)
    return [csv, summary]


def _stem(source: str) -> str:
    """Return a name for files about a source: a URL may hold what a file's name may not."""
    last = source.rstrip("/").rpartition("/")[2].partition("?")[0]
    return last.partition(".")[0] or "table"


def _write_json(content: dict[str, Any], path: Path) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Parse the command line, read the table, and tell what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", help="a file, a URL, or with --query a database's URL")
    parser.add_argument("--query", help="SQL to ask the database")
    parser.add_argument("--report", action="store_true", help="print the whole summary")
    parser.add_argument("--against", help="another copy of the table, to compare row by row")
    parser.add_argument("--out", type=Path, help="Parquet file for the rows that were kept")
    parser.add_argument(
        "--folder", type=Path, default=Path("artifacts"), help="where summary and rejects go"
    )
    try:
        _run(parser.parse_args(), Console())
    except (InvalidTable, OSError, duckdb.Error) as error:
        raise SystemExit(f"research.data: {error}") from None


if __name__ == "__main__":
    main()
