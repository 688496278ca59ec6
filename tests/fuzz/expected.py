"""What a body should be taken for, written a second time and otherwise than the server does it.

Everything here goes value by value through Python's own json and numbers: slow, and plain to read.
"""

import math
import re
import struct

from server.contract import Feature

PLAIN = {"unit": "", "meaning": "", "range": None, "domain": None}
# A feature of each kind there is, one with a name that JSON and CSV have to quote.
FEATURES = [
    Feature(name="x", type="float32", nullable=False, categories=None, closed=False, **PLAIN),
    Feature(name="y, z", type="float32", nullable=True, categories=None, closed=False, **PLAIN),
    Feature(name="n", type="int64", nullable=False, categories=None, closed=False, **PLAIN),
    Feature(name="k", type="int64", nullable=False, categories=[1, 2], closed=True, **PLAIN),
    Feature(name="word", type="string", nullable=False, categories=None, closed=False, **PLAIN),
    Feature(name="hue", type="string", nullable=False, categories=["red"], closed=True, **PLAIN),
]
NAMES = [feature.name for feature in FEATURES]
MOST = 4  # instances in a body


class Refused(Exception):
    """The body should not be taken."""


def row(given):
    """Return the values of one object, `id` last, as the model and the log should get them."""
    refuse_if(not isinstance(given, dict) or not given.keys() <= {*NAMES, "id"})
    return [*(value(feature, given.get(feature.name)) for feature in FEATURES), name_of(given)]


def value(feature, found):
    """Return one value as the model should get it."""
    if found is None:
        refuse_if(not feature.nullable)
        return None
    if feature.type == "string":
        refuse_if(not is_text(found, 4_096))
    else:
        refuse_if(isinstance(found, bool) or not isinstance(found, int | float))
    if feature.type == "float32":
        return float32(found)
    if feature.type == "int64":
        refuse_if(not isinstance(found, int) or not -(2**63) <= found < 2**63)
    refuse_if(feature.closed and found not in feature.categories)
    return found


def float32(number):
    """Return the nearest float32, which must be finite."""
    try:
        nearest = struct.unpack("<f", struct.pack("<f", float(number)))[0]
    except OverflowError:
        raise Refused from None
    refuse_if(not math.isfinite(nearest))
    return nearest


def name_of(given):
    """Return the caller's own name for an object, or None."""
    name = given.get("id")
    refuse_if(name is not None and not is_text(name, 256))
    return name


def is_text(found, most):
    """Tell whether this is a text that can be stored."""
    return isinstance(found, str) and len(found) <= most and not re.search("[\ud800-\udfff]", found)


def refuse_if(wrong):
    """Raise where something is wrong."""
    if wrong:
        raise Refused


def attempt(errors, call, *arguments):
    """Return what a call returns, or the error it raises if it is one of these."""
    try:
        return call(*arguments), None
    except errors as error:
        return None, error


def check_refusal(error, rows, body):
    """Raise unless a body that is refused should be, and is told off as any other."""
    assert rows is None, f"{body!r} is refused: {error.detail} {error.faults}"
    assert 400 <= error.status < 500 or error.status == 501
    assert len(error.faults) <= 100


def check_same(instances, rows):
    """Raise unless the server took the rows for what they are."""
    assert len(instances) == len(rows)
    for at, name in enumerate(NAMES):
        taken, wanted = instances.arrays[name].tolist(), [each[at] for each in rows]
        taken = [None if is_nan(each) else each for each in taken]
        assert repr(taken) == repr(wanted), (name, taken, wanted)
        kept = [
            None if each is None else FEATURES[at].to_array([each]).tolist()[0]
            for each in instances.values[name]
        ]
        assert repr(kept) == repr(wanted), (name, kept, wanted)
    assert list(instances.ids) == [each[-1] for each in rows]


def is_nan(found):
    """Tell whether this is the number that is none."""
    return isinstance(found, float) and math.isnan(found)
