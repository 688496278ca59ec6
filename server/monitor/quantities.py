"""What is watched for drift: inputs, derived features and scores, each with the bins it falls in.

A quantity has SQL twice: over the table that stores it, and over the view that people ask.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from server.contract import Contract, Feature
from server.explained import Distribution
from server.pages.waterfall import MINUS
from server.storage.parts import distinct, literal, quoted

Kind = Literal["input", "derived", "score"]

# Probabilities that differ by less are not told apart. Those of the reference come from models of
# folds, which are as sure as the served one but for less than this: benchmarks/README.md.
_LEAST_STEP = 0.01


@dataclass(frozen=True)
class Head:
    """One head of a model: its name, and SQL that is true of the rows it answered."""

    name: str
    condition: str


@dataclass(frozen=True)
class Quantity:
    """One thing to watch, as the training rows had it.

    `edges` are the inner ends of numeric bins, of which a value on an edge belongs to the bin
    below; `categories` the texts that have a bin of their own. `names` are those of the bins, the
    last that of what is missing; `shares` those of the training rows.
    """

    key: str
    kind: Kind
    name: str
    edges: Sequence[float]
    categories: Sequence[str] | None
    names: Sequence[str]
    shares: Sequence[float]
    # SQL: the value, NULL where it is missing, and which rows have one at all.
    stored: str
    published: str
    condition: str


def quantities_of(contract: Contract) -> list[Quantity]:
    """Return what the contract has a distribution of, each once."""
    if contract.reference is None:
        return []
    return [*_inputs(contract), *_derived(contract), *_scores(contract)]


def heads_of(contract: Contract) -> list[Head]:
    """Return the heads that were evaluated; of several, the detail that names one tells whose."""
    names = [head.head for head in contract.evaluation.heads]
    if len(names) < 2:
        return [Head(name, "true") for name in names]
    for output in contract.outputs:
        if output.role == "detail" and set(names) <= set(output.values or ()):
            return [Head(name, f"{quoted(output.name)} = {literal(name)}") for name in names]
    return []


def _inputs(contract: Contract) -> Iterator[Quantity]:
    assert contract.reference is not None  # noqa: S101  # whoever calls has looked
    for feature in contract.features:
        known = contract.reference.inputs.get(feature.name)
        if known is not None:
            column = quoted(feature.name)
            edges, shares = _with_ends(known, feature)
            yield _quantity(
                f"in.{feature.name}", "input", feature.name, known, edges, shares, (column, column)
            )


def _derived(contract: Contract) -> Iterator[Quantity]:
    assert contract.reference is not None  # noqa: S101  # whoever calls has looked
    if not any(output.role == "derived" for output in contract.outputs):
        return
    names = [feature.name for feature in contract.explanation.features]
    for number, (name, shown) in enumerate(zip(names, distinct(names), strict=True), 1):
        known = contract.reference.derived.get(name)
        # What is an input unchanged is watched as that.
        if known is None or known == contract.reference.inputs.get(name):
            continue
        stored = f"CASE WHEN NOT isnan(derived[{number}]) THEN derived[{number}] END"
        sql = stored, f"derived.{quoted(shown)}"
        edges, shares = list(known.edges or ()), known.shares
        yield _quantity(
            f"derived.{name}", "derived", name, known, edges, shares, sql, "derived IS NOT NULL"
        )


def _scores(contract: Contract) -> Iterator[Quantity]:
    assert contract.reference is not None  # noqa: S101  # whoever calls has looked
    known_scores = contract.reference.scores
    if contract.kind == "regression":
        if known := known_scores.get("value"):
            sql = "value", "value"
            edges, shares = list(known.edges or ()), known.shares
            yield _quantity("score.value", "score", "value", known, edges, shares, sql)
        return
    classes = list(enumerate(contract.class_names, 1))
    # Of two classes the probabilities are each other's mirror.
    for head in heads_of(contract):
        for number, name in classes[1:] if len(classes) == 2 else classes:
            full = f"{head.name} {name}".strip()
            if known := known_scores.get(full):
                shown = distinct(contract.class_names)[number - 1]
                sql = f"probabilities[{number}]", f"probabilities.{quoted(shown)}"
                edges, shares = _coarse(known)
                yield _quantity(
                    f"score.{full}", "score", full, known, edges, shares, sql, head.condition
                )


def _quantity(
    key: str,
    kind: Kind,
    name: str,
    known: Distribution,
    edges: list[float],
    shares: Sequence[float],
    sql: tuple[str, str],
    condition: str = "true",
) -> Quantity:
    stored, published = sql
    if known.categories is not None:
        names = [*known.categories, "any other"]
        shares = [*shares, max(1 - sum(shares) - known.missing, 0.0)]
    else:
        stored, published = f"({stored})::FLOAT", f"({published})::FLOAT"
        names = _names_of_bins(edges)
    return Quantity(
        key,
        kind,
        name,
        edges,
        known.categories,
        [*names, "missing"],
        [*shares, known.missing],
        stored,
        published,
        condition,
    )


def _with_ends(known: Distribution, feature: Feature) -> tuple[list[float], list[float]]:
    """Return the bins with one below the least training value and one above the greatest.

    No training row lies in these: so a constant that becomes another is seen.
    """
    edges, shares = list(known.edges or ()), list(known.shares)
    if not edges or feature.range is None:
        return edges, shares
    low, high = (float(str(np.float32(end))) for end in feature.range)
    below = float(str(np.nextafter(np.float32(low), np.float32(-np.inf))))
    if below < edges[0]:
        edges, shares = [below, *edges], [0.0, *shares]
    if high > edges[-1]:
        edges, shares = [*edges, high], [*shares, 0.0]
    return edges, shares


def _coarse(known: Distribution) -> tuple[list[float], list[float]]:
    """Return the bins of a probability without the edges that are next to nothing apart."""
    edges: list[float] = []
    shares: list[float] = [0.0]
    for edge, share in zip([*(known.edges or ()), 1.0], known.shares, strict=False):
        shares[-1] += share
        last = edges[-1] if edges else 0.0
        if edge - last >= _LEAST_STEP and 1 - edge >= _LEAST_STEP:
            edges.append(edge)
            shares.append(0.0)
    return edges, shares


def _names_of_bins(edges: Sequence[float]) -> list[str]:
    texts = [f"{edge:.4g}".replace("-", MINUS) for edge in edges]
    if not texts:
        return ["any"]
    between = [f"{low} to {high}" for low, high in zip(texts, texts[1:], strict=False)]
    return [f"up to {texts[0]}", *between, f"above {texts[-1]}"]
