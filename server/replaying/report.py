"""Tell what a replay found: on the terminal, as JSON, as a page that needs no server."""

import dataclasses
from importlib import resources
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup

from server.contract import Contract
from server.model import Model
from server.replaying.findings import Findings
from server.replaying.verdict import Tolerance, Verdict

_MARKS = {True: "+", False: "!", None: "?"}


def to_json(
    model: Model, found: Findings, verdict: Verdict, tolerance: Tolerance, source: str
) -> str:
    """Return every figure as JSON."""
    content = {
        "model": {"name": model.contract.model_name, "version": model.contract.model_version},
        "model_sha256": model.sha256,
        "log": source,
        "verdict": verdict.word,
        "reasons": verdict.reasons,
        "tolerance": tolerance,
        **dataclasses.asdict(found),
    }
    return msgspec.json.format(msgspec.json.encode(content).decode(), indent=2) + "\n"


def to_text(contract: Contract, found: Findings, verdict: Verdict, source: str) -> str:
    """Return the same for a terminal."""
    lines = [
        f"{contract.model_name} {contract.model_version} on {found.rows:,} stored inputs of "
        f"{source}",
    ]
    if found.changes and found.changed:
        lines += ["", *_table(found)]
    if found.moved:
        said = "value" if found.changed is None else "probability that moved most"
        figures = ", ".join(f"{name} {size:.4g}" for name, size in found.moved.items())
        lines += ["", f"the {said} moved by: {figures}"]
    for name, changed in found.details.items():
        lines.append(f"{name} changed in {changed:,} rows")
    if found.sets:
        lines.append(
            f"sets or intervals changed in {found.sets['changed']:,} rows; "
            f"mean size {found.sets['size_before']:.4g}, would be {found.sets['size_after']:.4g}"
        )
    lines += ["", f"safe to switch? {verdict.word}"]
    lines += [f"  {_MARKS[reason.holds]} {reason.detail}" for reason in verdict.reasons]
    return "\n".join(lines)


def to_page(
    contract: Contract, found: Findings, verdict: Verdict, source: str, address: str
) -> str:
    """Return the page: whole in itself, its links lead to the server at `address`."""
    here = resources.files("server")
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(here / "templates")), autoescape=True
    )
    styles = (here / "static" / "style.css").read_text(encoding="utf-8")
    return templates.get_template("replay.html").render(
        contract=contract,
        found=found,
        verdict=verdict,
        source=source,
        address=address,
        matrix=_matrix(found),
        styles=Markup(styles),  # noqa: S704  # our own file
    )


def _matrix(found: Findings) -> list[dict[str, Any]]:
    """Return a row a stored label, with a cell a replayed one, both in one order."""
    names = sorted({each[end] for each in found.changes for end in ("from", "to")})
    counts = {(each["from"], each["to"]): each["rows"] for each in found.changes}
    return [
        {
            "name": was,
            "cells": [{"to": now, "count": counts.get((was, now), 0)} for now in names],
            "rows": sum(counts.get((was, now), 0) for now in names),
        }
        for was in names
    ]


def _table(found: Findings) -> list[str]:
    matrix = _matrix(found)
    head = ["was \\ is", *(row["name"] for row in matrix)]
    cells = [[row["name"], *(f"{cell['count']:,}" for cell in row["cells"])] for row in matrix]
    lines = [head, *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    ]
