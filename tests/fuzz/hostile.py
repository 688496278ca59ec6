"""Values that are right, nearly right, or as wrong as they come, picked by what the fuzzer says."""

import json

# Most are right, so that what is wrong stands beside what is not.
NUMBERS = ["0", "1", "2", "-1", "1.5", "19.25", "-0.0", "1e2", "1E-3", "3.4028234e38", "1e-46"]
WHOLE = ["1", "2", "1", "2", "-7", "0", "9223372036854775807", "-9223372036854775808"]
WRONG = ["3.4028236e38", "1e39", "-1e400", "NaN", "nan", "Infinity", "-Infinity", "inf", "true"]
WRONG += ["null", "", " ", "01", "+1", "1.", ".5", "1_000", "0x10", "1,5", "--1", "1e", "\u0661"]
WRONG += ["9223372036854775808", "-9223372036854775809", "1.0", "1" + "0" * 400, "9" * 5_000, "[]"]
WRONG += ["{}", '"1"', "[[1]]", '{"a": 1}', "None", "1e-400", "16777217", "0.1000000014901161"]
TEXTS = [
    "red",
    "red",
    "w",
    "",
    "b\u00e9",
    "\U0001f600",
    "NaN",
    "null",
    "1",
    " red",
    "Red",
    "a" * 257,
]
TEXTS += ["\0", "\n", '"', "\\", "=1+1", "\ufeff", "x" * 4_096, "x" * 4_097, "/", "~", "\u202e"]


def number(choices, whole):
    """Return the text of a number, or of none."""
    if choices.is_rare():
        return choices.one_of(WRONG) if choices.number(3) else choices.text(12)
    return choices.one_of(WHOLE if whole else NUMBERS)


def text(choices):
    """Return a text."""
    return (
        choices.text(40) if choices.is_rare() else choices.one_of(TEXTS[: choices.one_of([2, 99])])
    )


def member(choices, feature):
    """Return a value for a feature as JSON, or nearly."""
    if feature.nullable and choices.number(3) == 0:
        return "null"
    if feature.type == "string":
        if choices.is_rare():
            return choices.one_of(WRONG) or '"\\ud800"'
        return json.dumps(
            "red" if feature.closed else text(choices), ensure_ascii=choices.number(1)
        )
    return number(choices, feature.type == "int64") or "null"


def instance(choices, features):
    """Return an object as JSON, or nearly: members may be missing, there twice, or unknown."""
    members = [
        (json.dumps(feature.name), member(choices, feature))
        for feature in features
        if not choices.is_rare()
    ]
    if choices.number(2) == 0:
        members.append(('"id"', json.dumps(text(choices))))
    if choices.is_rare():
        members.append((json.dumps(choices.one_of(["instances", "u", "", "ID"])), "1"))
    if members and choices.is_rare():
        members.append(choices.one_of(members))
    return "{" + ", ".join(f"{name}: {value}" for name, value in members) + "}"
