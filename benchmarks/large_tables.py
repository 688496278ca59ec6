"""Read tables of millions of rows: ``python -m benchmarks.large_tables [--rows 5000000]``.

Makes a synthetic table once, writes it in every format that must stream, and prints the peak
memory and the time of ``research.data --report`` on each.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

_FORMATS = {
    "parquet": "FORMAT parquet",
    "csv": "FORMAT csv, HEADER",
    "tsv": "FORMAT csv, HEADER, DELIMITER '\t'",
    "ndjson": "FORMAT json",
    "csv.gz": "FORMAT csv, HEADER, COMPRESSION gzip",
}
# The kernel counts from the start of the program; the usage that it tells a parent counts the
# parent's own memory too.
_REPORT = """
import pathlib, sys
from research.data import main
main()
lines = pathlib.Path("/proc/self/status").read_text().splitlines()
print(*(line for line in lines if line.startswith("VmHWM")), file=sys.stderr)
"""


def made_tables(folder: Path, rows: int) -> list[Path]:
    """Write the same synthetic rows in every format."""
    source = folder / "made.parquet"
    command = [sys.executable, "-m", "research.simulate", f"--rows={rows}", f"--out={source}"]
    subprocess.run(command, check=True)
    with duckdb.connect() as connection:
        for suffix, options in _FORMATS.items():
            if suffix != "parquet":
                target = folder / f"made.{suffix}"
                connection.execute(
                    f"COPY (FROM read_parquet('{source}')) TO '{target}' ({options})"
                )
    return [folder / f"made.{suffix}" for suffix in _FORMATS]


def measure(table: Path) -> tuple[float, float]:
    """Return peak resident memory in MiB and seconds of one report."""
    folder = table.parent / "checks"
    command = [sys.executable, "-c", _REPORT, str(table), "--report", f"--folder={folder}"]
    started = time.perf_counter()
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(run.stderr.split()[-2]) / 1024, time.perf_counter() - started


def main() -> None:
    """Make the tables, measure each, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--folder", type=Path, help="where to keep the tables; default nowhere")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        print("| format | file, MB | peak memory, MiB | seconds |\n|---|---|---|---|")
        for table in made_tables(options.folder or Path(scratch), options.rows):
            memory, seconds = measure(table)
            size = table.stat().st_size / 1e6
            suffix = table.name.partition(".")[2]
            print(f"| {suffix} | {size:,.0f} | {memory:,.0f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
