"""How often the monitor cries wolf, and how soon it sees what changed.

Run it as ``python -m benchmarks.drift --data table.csv``: a table with the model's inputs and its
target, as columns of their names. Windows of its rows are predicted by a server of this script's
own, one request a window, and the server's ``/monitor`` is asked about each.
"""

import argparse
import json
import math
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from benchmarks.running import SEXTANT, free_port, serving

WINDOWS = 200
SIZES = (50, 100, 200, 1_000, 3_000)
# A shift is looked for in windows of these sizes, so often each.
SHIFTED_SIZES = (25, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000)
SHIFTED_WINDOWS = 20
# Seen is what nine of ten windows see.
SEEN = 0.9
MAGNITUDES = ("u", "g", "r", "i", "z")

Row = dict[str, Any]
Change = Callable[[list[Row], int, Random], list[Row]]


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="a CSV or Parquet file")
    parser.add_argument("--model", help="the model file; otherwise the one that is shipped")
    parser.add_argument("--windows", type=int, default=WINDOWS, help="without a shift (200)")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="of these windows")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="sextant-drift-") as folder:
        environment = {
            "SEXTANT_PORT": str(port),
            "SEXTANT_DATABASE": f"{folder}/predictions.duckdb",
            # A machine that is busy with something else is not what is measured.
            "SEXTANT_COMMIT_TIMEOUT_S": "100",
            **({"SEXTANT_MODEL": options.model} if options.model else {}),
        }
        ready, output = f"{url}/health/ready", Path(folder, "output")
        with serving(SEXTANT, environment, ready_url=ready, output=output):
            contract = _get(f"{url}/model")
            rows = read_rows(options.data, contract)
            chance = Random(options.seed)  # noqa: S311  # no secret
            _without_shift(url, rows, options.windows, options.sizes, chance)
            _with_shifts(url, rows, chance)


def read_rows(data: str, contract: dict[str, Any]) -> list[Row]:
    """Return the rows of a table that have every input, with their target under `target`."""
    names = [feature["name"] for feature in contract["features"]]
    target = contract["target"]["name"]
    with duckdb.connect() as connection:
        table = connection.read_parquet(data) if data.endswith("parquet") else None
        table = table or connection.read_csv(data)
        found = table.project(", ".join(f'"{name}"' for name in [*names, target])).fetchall()
    rows = [dict(zip([*names, "target"], each, strict=True)) for each in found]
    # As the survey marks what was not measured.
    return [row for row in rows if None not in row.values() and -9999 not in row.values()]


def _without_shift(
    url: str, rows: list[Row], windows: int, sizes: Sequence[int], chance: Random
) -> None:
    print("| rows a window | windows | with an alarm | 95 % interval | checks that raised it |")
    print("|---|---|---|---|---|")
    for size in sizes:
        raised = [alarms(url, chance.sample(rows, size)) for _ in range(windows)]
        n = sum(map(bool, raised))
        low, high = wilson(n, windows)
        names = ", ".join(sorted({name for each in raised for name in each})) or "none"
        print(
            f"| {size:,} | {windows} | {n} | {100 * low:.1f} to {100 * high:.1f} % | {names} |",
            flush=True,
        )


def _with_shifts(url: str, rows: list[Row], chance: Random) -> None:
    print(
        f"\n| change | windows of 20 with an alarm, by rows | seen from | checks |\n{'|---' * 4}|"
    )
    for name, change in changes().items():
        shares, first, seen = [], None, set()
        for size in SHIFTED_SIZES:
            raised = [alarms(url, change(rows, size, chance)) for _ in range(SHIFTED_WINDOWS)]
            n = sum(map(bool, raised))
            shares.append(f"{size:,}: {n}")
            seen = {each for one in raised for each in one}
            if n >= SEEN * SHIFTED_WINDOWS:
                first = size
                break
        told = "not at all" if first is None else f"{first:,} rows"
        checks = ", ".join(sorted(seen)) or "none"
        print(f"| {name} | {', '.join(shares)} | {told} | {checks} |", flush=True)


def changes() -> dict[str, Change]:
    """Return what is changed about the rows, by what it is called."""
    made: dict[str, Change] = {}
    for by in (0.1, 0.3, 1.0):
        made[f"all magnitudes + {by}"] = _moved(MAGNITUDES, by)
    for by in (0.1, 0.3):
        made[f"u + {by}"] = _moved(("u",), by)
    made["redshift missing in 5 %"] = _without_redshift(0.05)
    made["redshift missing in all"] = _without_redshift(1)
    made["quasars 2 times as frequent"] = _more_quasars(2)
    made["quasars 4 times as frequent"] = _more_quasars(4)
    return made


def _moved(names: Sequence[str], by: float) -> Change:
    def change(rows: list[Row], size: int, chance: Random) -> list[Row]:
        return [
            row | {name: round(row[name] + by, 5) for name in names}
            for row in chance.sample(rows, size)
        ]

    return change


def _without_redshift(share: float) -> Change:
    def change(rows: list[Row], size: int, chance: Random) -> list[Row]:
        return [
            row | ({"redshift": None} if chance.random() < share else {})
            for row in chance.sample(rows, size)
        ]

    return change


def _more_quasars(times: int) -> Change:
    def change(rows: list[Row], size: int, chance: Random) -> list[Row]:
        weights = [times if row["target"] == "QSO" else 1 for row in rows]
        return chance.choices(rows, weights, k=size)

    return change


def alarms(url: str, rows: Sequence[Row]) -> list[str]:
    """Predict the rows in one request and return which checks of their window are alarms.

    The time of the model is left out: it says something of the machine, and nothing of the rows.
    """
    body = [{name: value for name, value in row.items() if name != "target"} for row in rows]
    answer = _open(f"{url}/predict", json.dumps(body).encode())
    at = datetime.fromisoformat(answer["predicted_at"]).replace(tzinfo=None)
    ends = {"from": at.isoformat(), "to": (at + timedelta(microseconds=1)).isoformat()}
    watched = _get(f"{url}/monitor?{urllib.parse.urlencode({**ends, 'format': 'json'})}")
    if watched["traffic"]["predictions"] != len(rows):
        raise RuntimeError(f"{len(rows)} rows were sent, {watched['traffic']} are in the window")
    return [each["check"] for each in watched["alarms"] if each["check"] != "latency"]


def wilson(k: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the ends of Wilson's 95 % interval of a share."""
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * math.sqrt(k * (n - k) / n + z**2 / 4)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _get(url: str) -> Any:
    return _open(url, None)


def _open(url: str, body: bytes | None) -> Any:
    request = urllib.request.Request(url, body, {"content-type": "application/json"})  # noqa: S310  # our own server
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310  # our own server
        return json.load(answer)


if __name__ == "__main__":
    main()
