"""Which predictions are asked for: from the parameters of an address to SQL with bound values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from server.browse.terms import InvalidTerm, Term, to_term
from server.browse.times import InvalidTime, to_period
from server.storage.fields import Source

# Parameters that have a name of the server's own; those of a model bear a prefix.
_FIXED = ("id", "model", "version", "request", "instance", "ms", "label", "value", "p", "set")
_FIXED_LISTS = ("novelty", "warnings")
_PREFIXES = ("in.", "p.", "out.", "interval.")
# Words for the numbers of things in a list.
_WORDS = {"any": "1..", "none": "0"}


class InvalidQuery(Exception):
    """A parameter cannot be used; the message names it, and says what it should be."""

    def __init__(self, name: str, text: str, detail: str) -> None:
        super().__init__(f"{name}={text}: {detail}")
        self.name = name


@dataclass(frozen=True)
class Filter:
    """Which predictions to show: from `since`, before `until`, and every condition holds.

    A condition is a field with texts, of which one must fit.
    """

    since: datetime | None = None
    until: datetime | None = None
    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def where(self, source: Source) -> Term | None:
        """Return the condition for one source, or None where none of its rows can fit."""
        terms = [_condition(source, name, texts) for name, texts in self.conditions]
        if None in terms:
            return None
        bounds = ((">=", self.since), ("<", self.until))
        times = [Term(f"predicted_at {sign} ?", (at,)) for sign, at in bounds if at is not None]
        every = [*times, *(term for term in terms if term is not None)]
        if not every:
            return Term("true", ())
        return Term(
            " AND ".join(f"({term.sql})" for term in every),
            tuple(value for term in every for value in term.values),
        )


def read_filter(
    given: Mapping[str, Sequence[str]], sources: Sequence[Source], now: datetime
) -> Filter:
    """Check the parameters of an address; an empty text is as good as none.

    Raises
    ------
    InvalidQuery
        If a parameter names nothing that is stored, or has a text that is no value of it.
    """
    texts = {name: [text for text in each if text] for name, each in given.items()}
    try:
        begin, end, last = (_only(name, texts.get(name)) for name in ("from", "to", "last"))
        since, until = to_period(begin, end, last, now)
    except InvalidTime as error:
        raise InvalidQuery(error.name, texts[error.name][0], error.detail) from None
    named = {name: each for name, each in texts.items() if each and _is_condition(name)}
    for name, each in named.items():
        for text in each:
            _check(sources, name, text)
    return Filter(since, until, tuple((name, tuple(each)) for name, each in named.items()))


def _is_condition(name: str) -> bool:
    return name in (*_FIXED, *_FIXED_LISTS) or name.startswith(_PREFIXES)


def _only(name: str, texts: Sequence[str] | None) -> str | None:
    if texts and len(texts) > 1:
        raise InvalidQuery(name, texts[1], "give it once")
    return texts[0] if texts else None


def _check(sources: Sequence[Source], name: str, text: str) -> None:
    """Raise unless the condition has a meaning in one source at least."""
    if not any(name in source.fields for source in sources):
        raise InvalidQuery(name, text, "nothing that is stored here bears that name")
    problem = None
    for source in sources:
        if name in source.fields:
            try:
                _term(source, name, text)
            except InvalidTerm as error:
                problem = error
            else:
                return
    raise InvalidQuery(name, text, str(problem))


def _condition(source: Source, name: str, texts: Sequence[str]) -> Term | None:
    terms = []
    for text in texts:
        # What has no meaning here has one in the table of another contract, and fits no row here.
        try:
            terms.append(_term(source, name, text))
        except (InvalidTerm, KeyError):
            continue
    if not terms:
        return None
    sql = " OR ".join(f"({term.sql})" for term in terms)
    return Term(sql, tuple(value for term in terms for value in term.values))


def _term(source: Source, name: str, text: str) -> Term:
    field = source.fields[name]
    if name in _FIXED_LISTS:
        if text.startswith("of."):
            return _contains(source, name, text.removeprefix("of."))
        if text in _WORDS and field.any_sql:
            field = replace(field, sql=field.any_sql)
        return to_term(field, _WORDS.get(text, text))
    return to_term(field, text)


def _contains(source: Source, name: str, member: str) -> Term:
    if name == "warnings":
        each = "list_transform(warnings, lambda warning: warning.feature)"
        return Term(f"list_contains({each}, ?)", (member,))
    if member in source.novelty_names:
        return Term(f"novelty[{source.novelty_names.index(member) + 1}]", ())
    if source.table == source.view.name:
        return Term("list_contains(novelty, ?)", (member,))
    # The view knows the names of what the table stores as flags.
    inner = f"SELECT prediction_id FROM {source.view.name} WHERE list_contains(novelty, ?)"  # noqa: S608  # names of ours
    return Term(f"prediction_id IN ({inner})", (member,))
