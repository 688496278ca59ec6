"""What a schema cannot say of parameters together, told to schemathesis."""

import uuid

import schemathesis

# Where the first is given, the second contradicts it.
CONTRADICTS = (("from", "last"), ("to", "last"), ("from", "to"), ("before", "after"))


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """Mend a case whose every parameter is right, and which yet would be refused as a whole."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.operation.path == "/predict" and "Idempotency-Key" in (case.headers or {}):
        # One key with two bodies is refused, as it should be.
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if case.operation.path.startswith("/predictions") and case.query:
        case.query = together(dict(case.query))


def together(query):
    """Return parameters of the log that may stand together."""
    for first, second in CONTRADICTS:
        if query.get(first):
            query.pop(second, None)
    if not (query.get("x") and query.get("y")):
        query.pop("x", None)
        query.pop("y", None)
    for name in ("before", "after"):
        # An id that is of no row is no place in the log; those that links bring are of rows.
        if query.get(name) and uuid.UUID(query[name]).version != 7:
            del query[name]
    return {name: rising(given) for name, given in query.items()}


def rising(given):
    """Turn a range that begins after its end."""
    if isinstance(given, list):
        return [rising(each) for each in given]
    first, dots, last = given.partition("..") if isinstance(given, str) else ("", "", "")
    try:
        return f"{last}..{first}" if dots and float(first) > float(last) else given
    except ValueError:  # open at one side, or no range
        return given
