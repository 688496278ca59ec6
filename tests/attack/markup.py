"""Have what one caller stores run as a script in another's browser."""

import json
from html.parser import HTMLParser
from urllib.parse import quote

from tests.attack.target import OBJECT

_MARKUP = (
    "<script>steal()</script>",
    '"><img src=x onerror=steal()>',
    "'><svg/onload=steal()>",
    "{{7*7}}{% raw %}",
    "</textarea><script>steal()</script>",
    "javascript:steal()",
)
# Attributes that lead somewhere.
_LEADING = ("href", "src", "action", "formaction", "xlink:href", "data")


class _Runs(HTMLParser):
    """Finds in a page what a browser would run, and is not a file of the server's."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        leads = [given.get(name, "").strip().lower() for name in _LEADING]
        if (
            (tag == "script" and not given.get("src", "").startswith("/static/"))
            or any(name.startswith("on") or name == "style" for name in given)
            or any(each.startswith(("javascript:", "data:", "//")) for each in leads)
            or tag in ("style", "iframe", "object", "embed", "base", "img")
        ):
            self.found.append(self.get_starttag_text())


def stored_markup(target):
    """Store ids and labels full of markup, and look at every page that shows them."""
    ids = []
    for text in _MARKUP:
        sent = target.ask("POST", "/predict", {**OBJECT, "id": text}, key="predict")
        ids.append(json.loads(sent.body)["prediction_id"])
        label = {"id": text, "label": text}
        assert target.ask("POST", "/labels", label, key="labels").status == 200
    pages = [f"/predictions/{each}" for each in ids]
    pages += ["/predictions", "/predictions?view=pictures", "/labels", "/monitor", "/model"]
    _look_at(target, "read", pages)
    query = quote("SELECT id, request_id FROM predictions")
    _look_at(target, "sql", [f"/sql?q={query}"])


def reflected_markup(target):
    """Put markup into addresses and forms, and look at what comes back, errors too."""
    pages = []
    for text in map(quote, _MARKUP):
        pages += [f"/predictions?id={text}", f"/predictions?from={text}", f"/{text}"]
        pages += [f"/monitor?last={text}", f"/labels?model={text}", f"/predictions?{text}={text}"]
    _look_at(target, "read", pages)
    _look_at(target, "sql", [f"/sql?q={quote(text)}&x={quote(text)}" for text in _MARKUP])
    for text in _MARKUP:
        form = f"u={quote(text)}".encode()
        kind = "application/x-www-form-urlencoded"
        page = target.ask("POST", "/", form, key="predict", Content_Type=kind, Accept="text/html")
        _check("POST /", page)


def _look_at(target, key, pages):
    for path in pages:
        _check(path, target.ask("GET", path, key=key, Accept="text/html"))


def _check(path, answer):
    if answer.headers.get("content-type", "").startswith("text/html"):
        page = _Runs()
        page.feed(answer.text)
        assert not page.found, f"{path}: {page.found}"
    else:
        # Not a page, and no browser may take it for one.
        assert answer.headers["x-content-type-options"] == "nosniff", path
    assert answer.status < 500, f"{path}: {answer.status}"


ATTACKS = (stored_markup, reflected_markup)
