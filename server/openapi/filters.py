"""The parameters that ask for predictions, made of the model's own names."""

from server.contract import Contract
from server.openapi import vocabulary
from server.openapi.subject import Subject
from server.openapi.vocabulary import Part, choice

# `17.` is taken as well, but `17...19` would be read as 17 to .19.
_FLOAT = r"[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
_WHOLE = "[+-]?[0-9]{1,18}"
_PATTERNS = {
    kind: rf"^(|!?null|({number})|({number})\.\.({number})?|\.\.({number}))$"
    for kind, number in {"number": _FLOAT, "integer": _WHOLE}.items()
}
_LIST = rf"^(any|none|of\..*|{_PATTERNS['integer'][2:-2]})$"
# What each parameter lets through; those of a model's own names bear a prefix.
_FIXED: dict[str, tuple[str, str]] = {
    "id": ("text", "The caller's id."),
    "request": ("text", "The request."),
    "model": ("text", "The model's name."),
    "version": ("text", "The model's version."),
    "instance": ("integer", "The place in the request."),
    "ms": ("number", "The time of the graph, in milliseconds."),
}
_KINDS = {"float32": "number", "int64": "integer", "string": "text"}
_WORDS = {
    "number": "A number or a range, `17..19`, `17..` or `..19`; `null`, `!null`.",
    "integer": "A whole number or a range, `2..5`, `2..` or `..5`; `null`, `!null`.",
    "text": "A text, or what it begins with and `*`; `null`, `!null`; `=` before it as it stands.",
    "list": "`any`, `none`, `of.<name>`, or how many as a number or a range.",
}
_LAST = "^(|[0-9]{1,6}[smh]|[0-9]{1,5}[dw])$"
_ID: Part = {"type": "string", "format": "uuid"}


def fields(contract: Contract) -> dict[str, tuple[str, str]]:
    """Return the kind and the meaning of everything that can be asked for, by its parameter."""
    roles = {output.role for output in contract.outputs}
    found = dict(_FIXED)
    if "label" in roles:
        found["label"] = ("text", "The predicted label.")
        found["p"] = ("number", "The probability of the predicted label.")
        found |= {
            f"p.{name}": ("number", f"The probability of {name}.") for name in contract.class_names
        }
    if "value" in roles:
        found["value"] = ("number", "The value.")
    if "prediction_set" in roles:
        found["set"] = ("integer", "How many classes are in the prediction set.")
    if "interval" in roles:
        found["interval.low"] = ("number", "The lower end of the interval.")
        found["interval.high"] = ("number", "The upper end of the interval.")
    if "novelty" in roles:
        found["novelty"] = ("list", "What is outside of what the model was trained on.")
    found["warnings"] = ("list", "What is warned of.")
    for feature in contract.features:
        unit = f", in {feature.unit}" if feature.unit else ""
        meaning = f"{feature.meaning or 'The input'}{unit}."
        found[f"in.{feature.name}"] = (_KINDS[feature.type], meaning)
    for output in contract.outputs:
        if output.role == "detail":
            found[f"out.{output.name}"] = (_KINDS[output.type], f"{output.meaning}.")
    return found


def filters(subject: Subject) -> dict[str, Part]:
    """Return the parameters by the names of their components."""
    since = {"type": "string", "format": "date-time"}
    last = {"type": "string", "pattern": _LAST, "examples": ["15m"]}
    times = {
        "from": _query("from", "What was predicted from this time on; UTC unless it says.", since),
        "to": _query("to", "What was predicted before this time, which is after `from`.", since),
        "last": _query("last", "The same, counted back from now; without `from` and `to`.", last),
    }
    asked = {
        # A feature may bear any name, and a component only some: they are numbered.
        f"filter-{number}": _filter(name, *of)
        for number, (name, of) in enumerate(fields(subject.contract).items(), 1)
    }
    return {**{f"filter-{name}": each for name, each in times.items()}, **asked}


def _filter(name: str, kind: str, meaning: str) -> Part:
    pattern = _LIST if kind == "list" else _PATTERNS.get(kind)
    text: Part = {"type": "string", **({"pattern": pattern} if pattern else {})}
    several = {"type": "array", "items": text}
    return vocabulary.query(
        name, f"{meaning} {_WORDS[kind]} Given several times, one has to fit.", several
    )


def page_parameters(subject: Subject) -> list[Part]:
    """Return the parameters that say which page, in which order, and what the page shows."""
    known = fields(subject.contract)
    keys = ["time", *known]
    numbers = [name for name, (kind, _) in known.items() if kind in ("number", "integer", "list")]
    orders = [f"{sign}{name}" for name in keys for sign in ("", "-")]
    one = {"type": "string", "enum": numbers}
    return [
        _query("sort", "The order; with a minus it falls.", {"type": "string", "enum": orders}),
        _query("limit", "The size of the page.", {"type": "integer", "minimum": 1, "maximum": 500}),
        _query("before", "The page holds what lies before this prediction in the order.", _ID),
        _query("after", "The page holds what lies after it; not with `before`.", _ID),
        _query(
            "view", "Page only: the table, or pictures of what fits.", choice("table", "pictures")
        ),
        vocabulary.query(
            "col", "Page only: a column.", {"type": "array", "items": {"type": "string"}}
        ),
        _query("x", "Page only: what is drawn across; with `y`.", one),
        _query("y", "Page only: what is drawn upwards; with `x`.", one),
        _query("follow", "Page only: look for new rows every two seconds.", choice("0", "1")),
    ]


def _query(name: str, description: str, schema: Part) -> Part:
    # What a form leaves empty says nothing; where several texts are taken, one may be empty.
    return vocabulary.query(name, description, schema, allowEmptyValue=True)
