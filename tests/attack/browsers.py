"""Ask from the page of another site, by another name, or have a browser take an answer amiss."""

import base64

from tests.attack.target import OBJECT

_FOREIGN = ({"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://evil.example"})


def other_sites(target):
    """Have another site's page predict, label, query, copy and remove with the user's own key."""
    for headers in _FOREIGN:
        for key, method, path, body in (
            ("predict", "POST", "/predict", OBJECT),
            ("predict", "POST", "/v2/models/sdss/infer", b"{}"),
            ("labels", "POST", "/labels", {"id": "a", "label": "STAR"}),
            ("sql", "GET", "/sql.json?q=SELECT+1", None),
            ("admin", "DELETE", "/predictions?id=a", None),
            ("admin", "POST", "/prune", {"days": 1}),
            ("admin", "GET", "/backup.duckdb", None),
        ):
            basic = base64.b64encode(f"x:{target.keys[key]}".encode()).decode()
            answer = target.ask(method, path, body, Authorization=f"Basic {basic}", **headers)
            assert answer.status == 403, f"{method} {path}: {answer.status}"


def cross_origin_reading(target):
    """Ask for leave to read, as a page of another origin, before the request and with it."""
    for headers in (
        {"Access_Control_Request_Method": "POST"},
        {"Access_Control_Request_Method": "DELETE"},
        {},
    ):
        answer = target.ask("OPTIONS", "/predict", Origin="https://evil.example", **headers)
        assert answer.status == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]


def rebound_names(target):
    """Ask by a name that somebody else's DNS points here."""
    for host in ("evil.example", "localhost.evil.example", "evil.example:8080", "0.0.0.0"):  # noqa: S104  # a name
        assert target.ask("GET", "/model", key="read", Host=host).status == 403, host


def headers_everywhere(target):
    """Look for an answer without the headers that guard it, errors below HTTP included."""
    answers = [
        target.ask("GET", path, key="read")
        for path in ("/", "/predictions", "/model", "/docs", "/openapi.json", "/nowhere")
    ]
    answers += [target.ask("GET", "/predictions"), target.ask("GET", "/static/style.css")]
    answers += [target.ask("POST", "/predict", OBJECT, key="predict")]
    for answer in answers:
        _check_headers(answer.headers)
    for sent in (b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"):
        head = target.send(sent).partition(b"\r\n\r\n")[0].decode().lower()
        _check_headers(dict(line.split(": ", 1) for line in head.split("\r\n")[1:]))


def _check_headers(headers):
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"].upper() == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "set-cookie" not in headers


ATTACKS = (other_sites, cross_origin_reading, rebound_names, headers_everywhere)
