"""The form that filters the log, filled with what was asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from server.browse.addresses import Address
from server.browse.terms import verbatim
from server.contract import Contract
from server.storage.fields import Source

_PERIODS = {
    **{"5m": "5 minutes", "15m": "15 minutes", "1h": "hour", "6h": "6 hours"},
    **{"24h": "24 hours", "7d": "7 days", "30d": "30 days"},
}
_SHOWN = ("sort", "col", "view", "x", "y", "limit", "follow", "format", "before", "after")
_HINTS = {"number": "1.5..2", "integer": "2..5", "text": "text, or begin*"}
_SHARE_HINT = "0.8..1"


@dataclass(frozen=True)
class Choice:
    """One of the values a field of the form may have."""

    value: str
    title: str
    is_chosen: bool


@dataclass(frozen=True)
class FormField:
    """A field of the form: its parameter, what it is called, what is in it."""

    name: str
    title: str
    text: str
    hint: str = ""
    unit: str = ""
    choices: Sequence[Choice] = field(default=())


@dataclass(frozen=True)
class Form:
    """The fields by what they are about, and what the form sends along unseen."""

    labels: Sequence[Choice]
    when: Sequence[FormField]
    answers: Sequence[FormField]
    inputs: Sequence[FormField]
    others: Sequence[FormField]
    hidden: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Chip:
    """One condition that is asked for, and the address without it."""

    name: str
    text: str
    address: str


def to_form(sources: Sequence[Source], contract: Contract, address: Address) -> Form:
    """Return the form: what the served model has first, then what older tables have beside it."""
    kinds = {name: each.kind for source in sources for name, each in source.fields.items()}
    units = {f"in.{feature.name}": feature.unit for feature in contract.features}
    ranges = {
        f"in.{feature.name}": "{:.3g}..{:.3g}".format(*feature.range)
        for feature in contract.features
        if feature.range
    }

    def one(name: str, title: str, hint: str = "") -> FormField:
        hint = hint or ranges.get(name) or _HINTS.get(kinds.get(name, "text"), "")
        return FormField(name, title, address.text(name), hint, units.get(name, ""))

    own = [name for name in units if name in kinds]
    inputs = [*dict.fromkeys([*own, *(name for name in kinds if name.startswith("in."))])]
    answers = [
        _several(address, contract, name) for name in ("novelty", "warnings") if name in kinds
    ]
    titles = {"p": "Probability of the label", "value": "Value", "set": "Size of the set"}
    hints = {"p": _SHARE_HINT, "set": "2.."}
    answers += [
        one(name, title, hints.get(name, "")) for name, title in titles.items() if name in kinds
    ]
    answers += [
        one(name, f"Probability of {name[2:]}", _SHARE_HINT)
        for name in kinds
        if name.startswith("p.")
    ]
    answers += [one(name, name[4:]) for name in kinds if name.startswith("out.")]
    others = [one("id", "id"), one("version", "Model version"), one("request", "Request")]
    when = [
        FormField("last", "In the last", address.text("last"), choices=_periods(address)),
        FormField("from", "From", address.text("from"), "2026-11-22T13:45"),
        FormField("to", "To", address.text("to"), "UTC"),
    ]
    fields = [*when, *answers, *(inputs_ := [one(name, name[3:]) for name in inputs]), *others]
    return Form(
        _labels(address, sources, contract),
        when,
        answers,
        inputs_,
        others,
        _hidden(address, fields),
    )


def to_chips(address: Address) -> list[Chip]:
    """Return what is asked for, condition by condition."""
    return [
        Chip(name, text, address.without(name, text))
        for name, text in address.parameters
        if name not in _SHOWN and text
    ]


def _hidden(address: Address, fields: Sequence[FormField]) -> list[tuple[str, str]]:
    seen = {"label", *(each.name for each in fields)}
    kept = [each for each in address.parameters if each[0] not in (*seen, "before", "after")]
    # Of several values a field shows the first.
    more = [(each.name, text) for each in fields for text in address.texts(each.name)[1:]]
    return [*kept, *more]


def _labels(address: Address, sources: Sequence[Source], contract: Contract) -> list[Choice]:
    chosen = address.texts("label")
    names = [*contract.class_names, *(name for source in sources for name in source.class_names)]
    values = [verbatim(name) for name in dict.fromkeys(names)]
    choices = [Choice(value, value.removeprefix("="), value in chosen) for value in values]
    return choices + [Choice(text, text, True) for text in chosen if text not in values]


def _periods(address: Address) -> list[Choice]:
    chosen = address.text("last")
    periods = _PERIODS | ({chosen: chosen} if chosen and chosen not in _PERIODS else {})
    choices = [Choice(value, title, value == chosen) for value, title in periods.items()]
    return [Choice("", "any time", not chosen), *choices]


def _several(address: Address, contract: Contract, name: str) -> FormField:
    """Return the choice among none, any, and what may be outside."""
    chosen = address.text(name)
    if name == "novelty":
        members = [each.name for each in contract.novelty.columns] if contract.novelty else []
        title, words = "Novelty", {"any": "something novel", "none": "nothing novel"}
    else:
        members = [feature.name for feature in contract.features]
        title, words = "Warnings", {"any": "with warnings", "none": "without warnings"}
    values = {"": "all", **words, **{f"of.{member}": f"of {member}" for member in members}}
    if chosen not in values:
        values[chosen] = chosen
    choices = [Choice(value, text, value == chosen) for value, text in values.items()]
    return FormField(name, title, chosen, choices=choices)
