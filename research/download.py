"""Download a table from the survey's SQL service, page by page, and say what was asked.

Run it as ``python -m research.download --release 17 --rows 100000``; stopped, run it again.
"""

import argparse
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from urllib3.util import Retry

from research.data import InvalidTable, checked, save_checks
from research.pages import Order, finish, keep, share_of, standing
from research.skyserver import URL, InvalidAnswer, ask, check_page, page_query
from research.summary import show
from research.web import polite_session


def download(order: Order, console: Console) -> dict[str, Any]:
    """Download a table as Parquet; write beside it, as JSON, where it came from.

    A page is kept once it is whole: a download that was stopped goes on where it stood.

    Raises
    ------
    InvalidAnswer
        When the service does not give what was asked, or the pages are of another download.
    """
    # A query that may be asked again is asked again by `ask`, not twice.
    with polite_session(Retry(0)) as session:
        share = share_of(order, session)
        pages = sorted(order.parts.glob("*.parquet"))
        done, after = standing(pages)
        with Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
        ) as progress:
            task = progress.add_task("rows", total=order.rows, completed=done)
            while done < order.rows:
                wanted = min(order.page_rows, order.rows - done)
                query = page_query(after=after, rows=wanted, share=share)
                rows = ask(session, order.url, query, order.retry)
                if not rows:
                    break
                page = check_page(rows, after=after, wanted=wanted)
                pages.append(keep(page, order.parts / f"{len(pages):06d}.parquet"))
                done, after = done + len(page), int(page["specobjid"].iloc[-1])
                progress.update(task, completed=done)
                time.sleep(order.pause_s)
    if not pages:
        raise InvalidAnswer(f"{order.url} has no rows for the query: {query}")
    return finish(order, share, pages)


def main() -> None:
    """Download, then read the table as training will, and show what came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", type=int, default=17, help="data release of the survey")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--out", type=Path, help="Parquet file; default data/sdss_dr<release>...")
    parser.add_argument("--url", help="the service, where it is not at its usual place")
    options = parser.parse_args()
    out = options.out or Path(f"data/sdss_dr{options.release}_{options.rows}.parquet")
    order = Order(options.url or URL.format(release=options.release), options.rows, out)
    console = Console()
    try:
        if options.rows < 1:
            raise InvalidAnswer("--rows must be 1 or more")
        about = download(order, console)
        console.print(f"{out}: {about['rows']:,} rows, sha256 {about['sha256']}", soft_wrap=True)
        with checked(out) as table:
            show(table.summary, console)
            save_checks(table, out.parent, out.stem)
    except (InvalidAnswer, InvalidTable, OSError) as error:
        raise SystemExit(f"research.download: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(f"research.download: stopped; {order.parts} has what came") from None


if __name__ == "__main__":
    main()
