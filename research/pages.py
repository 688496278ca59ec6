"""Keep the pages of a download until all have come, and make one table of them."""

import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import requests
from urllib3.util import Retry

from research.provenance import sha256_of, timestamp
from research.skyserver import SHARES, InvalidAnswer, ask, count_query, page_query
from research.web import RETRY


@dataclass(frozen=True)
class Order:
    """What to ask for, of whom, and how patiently."""

    url: str
    rows: int
    out: Path
    # Some seconds of the service's time each, and some megabytes on the way.
    page_rows: int = 20_000
    # The service allows 60 queries a minute.
    pause_s: float = 1.0
    retry: Retry = RETRY

    @property
    def parts(self) -> Path:
        """The folder of the pages that came, until all have."""
        return self.out.with_name(self.out.name + ".parts")


def share_of(order: Order, session: requests.Session) -> int:
    """Return how many of 10,000 spectra to take, as this download began with."""
    state = order.parts / "order.json"
    wanted = {"url": order.url, "rows": order.rows}
    if state.exists():
        begun = json.loads(state.read_text(encoding="utf-8"))
        if {name: begun[name] for name in wanted} != wanted:
            raise InvalidAnswer(
                f"{order.parts} holds pages of another download, {begun['rows']} rows from "
                f"{begun['url']}; remove it, or ask for the same."
            )
        return int(begun["share"])
    rows = ask(session, order.url, count_query(), order.retry)
    try:
        there = int(rows[0]["n"])
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InvalidAnswer(f"{order.url} does not say how many rows there are: {rows}") from error
    # Four standard deviations more, so that chance does not leave the table short.
    enough = order.rows + 4 * math.sqrt(order.rows)
    share = min(SHARES, math.ceil(SHARES * enough / max(there, 1)))
    order.parts.mkdir(parents=True, exist_ok=True)
    state.write_text(json.dumps({**wanted, "share": share}), encoding="utf-8")
    return share


def standing(pages: list[Path]) -> tuple[int, int]:
    """Return how many rows there are already, and the identifier of the last."""
    if not pages:
        return 0, 0
    ids = [pd.read_parquet(page, columns=["specobjid"])["specobjid"] for page in pages]
    return sum(map(len, ids)), int(ids[-1].iloc[-1])


def keep(page: pd.DataFrame, path: Path) -> Path:
    """Write a page, and return where."""
    # Renamed when whole, so that a break leaves no half of a page.
    half = path.with_suffix(".half")
    page.to_parquet(half)
    return half.rename(path)


def finish(order: Order, share: int, pages: list[Path]) -> dict[str, Any]:
    """Make one Parquet file of the pages, and beside it a JSON file of where it came from."""
    half = order.out.with_name(order.out.name + ".half")
    with duckdb.connect() as connection:
        connection.read_parquet([str(page) for page in pages]).create_view("pages")
        target = str(half).replace("'", "''")
        connection.execute(f"COPY (FROM pages ORDER BY specobjid) TO '{target}' (FORMAT parquet)")
        count = connection.execute("SELECT count(*) FROM pages").fetchone()
    half.rename(order.out)
    about = {
        "url": order.url,
        "query": page_query(after=0, rows=order.rows, share=share),
        "rows_asked": order.rows,
        "rows": count[0] if count else 0,
        "pages": len(pages),
        "share_of_spectra": share / SHARES,
        "downloaded_at": timestamp(),
        "sha256": sha256_of(order.out),
    }
    text = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
    order.out.with_name(order.out.name + ".json").write_text(text, encoding="utf-8")
    shutil.rmtree(order.parts)
    return about
