"""Pretend to be a proxy, or somebody a proxy has let in."""

from tests.attack.target import OBJECT

_MADE_UP = {
    "X_Forwarded_For": "127.0.0.1",
    "X_Forwarded_Proto": "https",
    "X_Forwarded_Host": "evil.example",
    "X_Forwarded_Prefix": "//evil.example",
    "Forwarded": "for=127.0.0.1;host=evil.example",
}


def made_up_headers(target):
    """Send a proxy's headers to a server that trusts none, and look for their effect."""
    answer = target.ask("POST", "/predict", OBJECT, key="predict", **_MADE_UP)
    assert answer.headers["location"].startswith("/predictions/")
    page = target.ask("GET", "/", key="predict", Accept="text/html", **_MADE_UP)
    assert page.status == 200
    assert "evil.example" not in page.text
    assert target.ask("GET", "/predictions", **_MADE_UP).status == 401


ATTACKS = (made_up_headers,)
