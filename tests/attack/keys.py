"""Get in without a key, or further than it goes."""

import json
import time

from tests.attack.target import OBJECT

# What is answered to a key of each scope: method, path, body.
_OF_SCOPE = {
    "predict": ("POST", "/predict", OBJECT),
    "read": ("GET", "/predictions?format=json", None),
    "sql": ("GET", "/sql.json?q=SELECT+1", None),
    "labels": ("POST", "/labels", {"id": "a", "label": "STAR"}),
    "admin": ("GET", "/backup.duckdb", None),
}
_OPEN = {"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready", "/favicon.ico"}


def no_key(target):
    """Ask every operation of the OpenAPI document without a key."""
    document = target.ask("GET", "/openapi.json", key="read").text
    for path, operations in json.loads(document)["paths"].items():
        for method in operations:
            status = target.ask(method.upper(), path.format_map(_Anything())).status
            assert status == 401 or path in _OPEN, f"{method} {path}: {status}"


def wrong_keys(target):
    """Send what is nearly a key: too short, too long, its hash, in another header, in the URL."""
    key = target.keys["read"]
    path = "/predictions?format=json"
    for sent in ("", "Bearer", f"Bearer {key[:-1]}", f"Bearer {key}A", f"Token {key}", key):
        assert target.ask("GET", path, Authorization=sent).status == 401, sent
    kept = target.keys_file.read_text().split()
    for digest in (each for each in kept if len(each) == 64):
        assert target.ask("GET", path, Authorization=f"Bearer {digest}").status == 401
    assert target.ask("GET", path, X_Api_Key=key).status == 401
    assert target.ask("GET", f"{path}&key={key}&access_token={key}").status == 401


def other_scopes(target):
    """Ask for what each scope opens with the key of every other."""
    for wanted, (method, path, body) in _OF_SCOPE.items():
        for had in _OF_SCOPE:
            status = target.ask(method, path, body, key=had).status
            assert status == (200 if had == wanted else 403), f"{had} asks {path}: {status}"


def key_taken_away(target):
    """Go on with a key whose line was taken out of the file, without a restart."""
    kept = target.keys_file.read_text()
    asked = _OF_SCOPE["predict"]
    try:
        target.keys_file.write_text(
            "".join(line for line in kept.splitlines(True) if "only-predict" not in line)
        )
        time.sleep(1.2)  # it is looked at once a second
        assert target.ask(*asked, key="predict").status == 401
    finally:
        target.keys_file.write_text(kept)
    time.sleep(1.2)
    assert target.ask(*asked, key="predict").status == 200


def keys_in_the_log(target):
    """Look for keys in all that the server has printed and logged, after good and bad requests."""
    target.ask(*_OF_SCOPE["predict"], key="predict")
    target.ask(*_OF_SCOPE["read"], key="predict")
    time.sleep(0.2)
    for key in target.keys.values():
        assert key not in target.log


def files_outside(target):
    """Climb out of the folder of files that want no key."""
    for path in (
        "/static/../config.py",
        "/static/..%2fconfig.py",
        "/static/%2e%2e/%2e%2e/README.md",
        "/static//etc/passwd",
        "/static/vendor/..%5c..%5c..%5cREADME.md",
    ):
        answer = target.ask("GET", path)
        assert answer.status in (401, 404), f"{path}: {answer.status}"


class _Anything(dict):
    def __missing__(self, name):
        return "01a200ef-93df-7d68-8ffe-178975ab2c7a"


ATTACKS = (no_key, wrong_keys, other_scopes, key_taken_away, keys_in_the_log, files_outside)
