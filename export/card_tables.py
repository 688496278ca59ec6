"""The parts of a model card, in Markdown, from the contract of a model file."""

from collections.abc import Iterable, Sequence
from typing import Any

Contract = dict[str, Any]


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    # A bar in a name would end its cell.
    cells = ([str(cell).replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def inputs(contract: Contract) -> str:
    """What the model is given."""
    return _table(
        ["input", "unit", "meaning", "trained on", "meant for", "may be missing"],
        [
            [
                *(f"`{each['name']}`", each["unit"], each["meaning"]),
                _between(each["range"]) or ", ".join(map(str, each["categories"] or [])),
                _between(each["domain"]) or "as trained",
                "yes" if each["nullable"] else "no",
            ]
            for each in contract["features"]
        ],
    )


def outputs(contract: Contract) -> str:
    """What it answers."""
    return _table(
        ["output", "meaning"],
        [
            [f"`{each['name']}`", each["meaning"] + "".join(f", {v}" for v in each["values"] or [])]
            for each in contract["outputs"]
        ],
    )


def scores(contract: Contract) -> str:
    """Every score with its spread."""
    return _table(
        ["score", "given", "mean ± sd", "measured on"],
        [
            [
                each["name"].replace("_", " "),
                each["mode"],
                f"{each['mean']:.4f} ± {each['sd']:.4f}",
                each["split"],
            ]
            for each in contract["metrics"]
        ],
    )


def head(contract: Contract, head: dict[str, Any]) -> str:
    """What one head did on the holdout."""
    names, counts = contract["class_names"], head["confusion"]
    parts = [f"### {head['head'] or contract['model_name']}, {head['rows']:,} rows"]
    if counts:
        taken = [sum(row[at] for row in counts) for at in range(len(names))]
        rows = [
            [
                f"**{name}**",
                *counts[at],
                f"{counts[at][at] / max(sum(counts[at]), 1):.3f}",
                f"{counts[at][at] / max(taken[at], 1):.3f}",
            ]
            for at, name in enumerate(names)
        ]
        columns = ["", *(f"taken for {name}" for name in names), "recall", "precision"]
        parts.append(_table(columns, rows))
        parts.append(f"Expected calibration error, class by class: {_calibration(head, names)}.")
    if head["importance"]:
        explanation = contract["explanation"]
        named = zip(explanation["features"], head["importance"], strict=True)
        rows = [
            [f"`{feature['name']}`", *(f"{value:.3f}" for value in values)]
            for feature, values in sorted(named, key=lambda each: -max(each[1]))
        ]
        columns = ["mean size of contributions", *(explanation["columns"] or ["value"])]
        parts.append(_table(columns, rows))
    return "\n\n".join(parts)


def _calibration(head: dict[str, Any], names: list[str]) -> str:
    """Return the mean distance of what was said from what was so, weighted by rows."""
    told = []
    for name in names:
        bins = [each for each in head["reliability"] if each["class_name"] == name]
        off = sum(each["rows"] * abs(each["predicted"] - each["observed"]) for each in bins)
        told.append(f"{name} {off / max(sum(each['rows'] for each in bins), 1):.4f}")
    return ", ".join(told)


def coverage(contract: Contract) -> str:
    """How often prediction sets or intervals held the truth."""
    conformal = contract["conformal"]
    if not conformal:
        return "There are none."
    rows = [
        [
            each["head"] or "all",
            each["class_name"] or "value",
            "-" if each["share"] is None else f"{each['share']:.3f}",
            each["rows"],
            "-" if each["size"] is None else f"{each['size']:.2f}",
        ]
        for each in conformal["coverage"]
    ]
    return _table(["head", "class", "truth held", "of rows", "mean size"], rows)


def novelty(contract: Contract) -> str:
    """Between which ends nothing is novel."""
    novelty = contract["novelty"]
    if not novelty:
        return "There is none."
    rows = [
        [f"`{each['name']}`", each["kind"], _between([each["low"], each["high"]])]
        for each in novelty["columns"]
    ]
    share = f"{100 * novelty['false_alarms']:.2g} % of {novelty['rows']:,} held-out rows"
    return _table(["", "kind", "not novel"], rows) + f"\n\nFlagged: {share}."


def provenance(contract: Contract) -> str:
    """Where the model comes from."""
    parity = contract["parity"]
    libraries = ", ".join(f"{name} {version}" for name, version in contract["libraries"].items())
    rows = [
        ["trained", contract["trained_at"]],
        ["rows of the table", f"{contract['data_rows']:,}" if contract["data_rows"] else "-"],
        ["sha256 of the table", f"`{contract['data_sha256']}`"],
        ["commit", f"`{contract['git_commit']}`"],
        ["libraries", libraries],
        ["largest difference from the pipeline", f"{parity['max_difference']:.2g}"],
        ["compared on", f"{parity['holdout_rows'] + parity['threshold_rows']:,} rows"],
    ]
    return _table(["", ""], rows)


def _between(ends: Sequence[float | None] | None) -> str:
    if not ends or ends == [None, None]:
        return ""
    low, high = ends
    if low is None:
        return f"at most {high:.5g}"
    return f"at least {low:.5g}" if high is None else f"{low:.5g} to {high:.5g}"
