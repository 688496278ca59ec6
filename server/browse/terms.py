"""One condition on one field: from what stands behind `in.u=` to SQL with bound values."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from server.storage.fields import Field

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_LARGEST_INTEGER = 2**63 - 1
# Texts that mean something else than themselves; `=` before a text takes it as it stands.
_MISSING, _PRESENT = "null", "!null"


class InvalidTerm(Exception):
    """A text is no value of its field; the message says what is."""


@dataclass(frozen=True)
class Term:
    """SQL that is true or false of a row, and the values bound to its question marks."""

    sql: str
    values: tuple[Any, ...]


def to_term(field: Field, text: str) -> Term:
    """Return the condition that `text` puts on `field`.

    A number is given as itself or as a range, `17..19`, `17..` or `..19`, ends included; a text as
    itself, or with a star behind it for what begins so; `null` is what is missing, `!null` what is
    not.

    Raises
    ------
    InvalidTerm
        If it is none of these.
    """
    if text in (_MISSING, _PRESENT):
        return Term(f"{field.sql} IS {'NOT ' * (text == _PRESENT)}NULL", ())
    if field.kind == "text":
        return _text_term(field, text)
    return _number_term(field, text)


def _number_term(field: Field, text: str) -> Term:
    cast = "FLOAT" if field.kind == "number" else "BIGINT"
    begin, dots, end = text.partition("..")
    if not begin and not end:
        raise InvalidTerm("give a number, or a range such as 17..19, 17.. or ..19")
    low = _number(field, begin) if begin else None
    if not dots:
        return Term(f"{field.sql} = ?::{cast}", (low,))
    high = _number(field, end) if end else None
    if low is not None and high is not None and low > high:
        raise InvalidTerm(f"the range begins after its end: {end}..{begin}?")
    bounds = [(sign, number) for sign, number in ((">=", low), ("<=", high)) if number is not None]
    return Term(
        " AND ".join(f"{field.sql} {sign} ?::{cast}" for sign, _ in bounds),
        tuple(number for _, number in bounds),
    )


def verbatim(text: str) -> str:
    """Return how to ask for exactly `text`."""
    is_plain = text and text not in (_MISSING, _PRESENT) and text[0] != "=" and text[-1] != "*"
    return text if is_plain else f"={text}"


def _text_term(field: Field, text: str) -> Term:
    if text.startswith("="):
        return Term(f"{field.sql} = ?", (text[1:],))
    if text.endswith("*"):
        return Term(f"starts_with({field.sql}, ?)", (text[:-1],))
    return Term(f"{field.sql} = ?", (text,))


def _number(field: Field, text: str) -> float | int:
    text = text.strip()
    if field.kind == "integer":
        if not _INTEGER.fullmatch(text) or abs(int(text)) > _LARGEST_INTEGER:
            raise InvalidTerm(f"{text!r} is not a whole number of 64 bits")
        return int(text)
    if not _NUMBER.fullmatch(text):
        raise InvalidTerm(f"{text!r} is not a number, and no range such as 17..19, 17.. or ..19")
    with np.errstate(over="ignore"):  # what is beyond float32 is beyond all that is stored
        return float(np.float32(float(text)))
