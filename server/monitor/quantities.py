"""What is watched for drift: inputs, derived features and scores, each with the bins it falls in.

A quantity has SQL twice: over the table that stores it, and over the view that people ask.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from server.contract import Contract
from server.explained import Distribution, Reference
from server.monitor.bins import names_of_bins, of_probability, with_ends
from server.storage.parts import distinct, literal, quoted

Kind = Literal["input", "derived", "score"]


@dataclass(frozen=True)
class Head:
    """One head of a model: its name, and SQL that is true of the rows it answered."""

    name: str
    condition: str


@dataclass(frozen=True)
class Quantity:
    """One thing to watch, as the `rows` that the contract tells of had it.

    These are the training rows, and of probabilities the holdout. `edges` are the inner ends of
    numeric bins, of which a value on an edge belongs to the bin below; `categories` the texts that
    have a bin of their own. `names` are those of the bins, the last that of what is missing;
    `shares` those of the rows that the contract tells of.
    """

    key: str
    kind: Kind
    name: str
    rows: int
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
    reference = contract.reference
    found = [*_probabilities(contract)]
    if reference is not None:
        found = [*_inputs(contract, reference), *_derived(contract, reference), *found]
        found += _value(reference)
    return found


def heads_of(contract: Contract) -> list[Head]:
    """Return the heads that were evaluated; of several, the detail that names one tells whose."""
    names = [head.head for head in contract.evaluation.heads]
    if len(names) < 2:
        return [Head(name, "true") for name in names]
    for output in contract.outputs:
        if output.role == "detail" and set(names) <= set(output.values or ()):
            return [Head(name, f"{quoted(output.name)} = {literal(name)}") for name in names]
    return []


def _inputs(contract: Contract, reference: Reference) -> Iterator[Quantity]:
    for feature in contract.features:
        known = reference.inputs.get(feature.name)
        if known is not None:
            known = with_ends(known, feature.range)
            column = quoted(feature.name)
            key = f"in.{feature.name}"
            yield _quantity(key, "input", feature.name, reference.rows, known, (column, column))


def _derived(contract: Contract, reference: Reference) -> Iterator[Quantity]:
    if not any(output.role == "derived" for output in contract.outputs):
        return
    names = [feature.name for feature in contract.explanation.features]
    for number, (name, shown) in enumerate(zip(names, distinct(names), strict=True), 1):
        known = reference.derived.get(name)
        # What is an input unchanged is watched as that.
        if known is None or known == reference.inputs.get(name):
            continue
        stored = f"CASE WHEN NOT isnan(derived[{number}]) THEN derived[{number}] END"
        sql = stored, f"derived.{quoted(shown)}"
        own = "derived IS NOT NULL"
        yield _quantity(f"derived.{name}", "derived", name, reference.rows, known, sql, own)


def _value(reference: Reference) -> Iterator[Quantity]:
    known = reference.scores.get("value")
    if known is not None:
        yield _quantity("score.value", "score", "value", reference.rows, known, ("value", "value"))


def _probabilities(contract: Contract) -> Iterator[Quantity]:
    """Yield the probabilities, as the served model itself gave them to the holdout.

    Those of the reference come from models of folds: their trees have other leaves, and the served
    model's probabilities lie in other bins even where nothing has changed.
    """
    classes = list(enumerate(contract.class_names, 1))
    evaluated = {head.head: head for head in contract.evaluation.heads}
    shown = distinct(contract.class_names)
    for head in heads_of(contract):
        # Of two classes the probabilities are each other's mirror.
        for number, name in classes[1:] if len(classes) == 2 else classes:
            own = [each for each in evaluated[head.name].reliability if each.class_name == name]
            if own:
                full = f"{head.name} {name}".strip()
                rows, known = sum(each.rows for each in own), of_probability(own)
                sql = f"probabilities[{number}]", f"probabilities.{quoted(shown[number - 1])}"
                yield _quantity(f"score.{full}", "score", full, rows, known, sql, head.condition)


def _quantity(
    key: str,
    kind: Kind,
    name: str,
    rows: int,
    known: Distribution,
    sql: tuple[str, str],
    condition: str = "true",
) -> Quantity:
    stored, published = sql
    edges, shares = list(known.edges or ()), list(known.shares)
    if known.categories is not None:
        names = [*known.categories, "any other"]
        shares.append(max(1 - sum(shares) - known.missing, 0.0))
    else:
        stored, published = f"({stored})::FLOAT", f"({published})::FLOAT"
        names = names_of_bins(edges)
    return Quantity(
        key,
        kind,
        name,
        rows,
        edges,
        known.categories,
        [*names, "missing"],
        [*shares, known.missing],
        stored,
        published,
        condition,
    )
