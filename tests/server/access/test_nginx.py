"""Behind nginx, with the configuration that docs/proxy.md shows: HTTPS, under a path prefix."""

import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.running import free_port, stop
from server.access.api_keys import make_key
from server.access.headers import SECURITY_HEADERS
from server.app import create_app
from server.config import Settings
from tests.server.conftest import OBJECT, SHIPPED
from tests.server.test_together import Running

pytestmark = pytest.mark.slow
DOCUMENT = Path(__file__).parents[3] / "docs" / "proxy.md"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
# What nginx wants beside the server of the document, all of it in a folder of the test's.
AROUND = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {server}
}}
"""


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    """A server with a key, and nginx before it; yields the server, nginx' port, and the key."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    key, line = make_key("laptop", "predict,read")
    app = create_app(
        Settings(
            model=SHIPPED,
            database=folder / "predictions.duckdb",
            keys=line,
            trusted_proxies="127.0.0.1",
            allowed_hosts="stars.example.org",
        )
    )
    running = Running(app)
    port = free_port()
    process = start_nginx(folder, port, running.port)
    yield running, port, key
    stop(process)
    running.stop()
    running.log.close()


def start_nginx(folder, port, behind):
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=stars.example.org", "-days", "1"),
            *("-keyout", folder / "stars.key", "-out", folder / "stars.pem"),
        ],
        check=True,
        capture_output=True,
    )
    server = re.search(r"```nginx\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)[1]
    for told, here in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/", f"{folder}/"),
        ("127.0.0.1:8080", f"127.0.0.1:{behind}"),
    ):
        assert told in server
        server = server.replace(told, here)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, server=server))
    command = [NGINX, "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.02)
    raise AssertionError((folder / "error.log").read_text())


def ask(behind, method, path, body=None, **headers):
    _, port, key = behind
    trusted = ssl.create_default_context()
    trusted.check_hostname, trusted.verify_mode = False, ssl.CERT_NONE  # made a moment ago
    given = {"Host": "stars.example.org", "Authorization": f"Bearer {key}", **headers}
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusted, timeout=20)
    try:
        content = None if body is None else json.dumps(body)
        sent = given | ({"Content-Type": "application/json"} if content else {})
        connection.request(method, path, content, sent)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")
    finally:
        connection.close()


def test_a_prediction_is_found_where_the_answer_says(behind):
    for accept in ("application/json", "application/json;q=0.9"):  # without Flask, and with it
        status, headers, _ = ask(behind, "POST", "/sextant/predict", OBJECT, Accept=accept)

        assert status == 200
        assert headers["Location"].startswith("/sextant/predictions/")
        assert ask(behind, "GET", headers["Location"])[0] == 200
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
        assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_pages_and_what_they_link_to_are_under_the_prefix(behind):
    status, _, page = ask(behind, "GET", "/sextant/predictions?limit=1", Accept="text/html")
    links = set(re.findall(r'(?:href|src|action)="([^"#]+)', page))

    assert status == 200
    assert {link for link in links if not link.startswith("/sextant/")} == set()
    for link in sorted(link for link in links if "?" not in link):
        assert ask(behind, "GET", link.replace("&amp;", "&"))[0] == 200, link
    home = ask(behind, "GET", "/sextant/", Accept="text/html")[2]
    assert "curl https://stars.example.org/sextant/predict" in home
    # What was sent to another address by the server stays under it too.
    status, headers, _ = ask(behind, "GET", "/sextant/predictions?label=", Accept="text/html")
    assert (status, headers["Location"]) == (302, "/sextant/predictions")
    following = ask(behind, "GET", "/sextant/predictions?limit=1")[2]
    assert json.loads(following)["next"].startswith("/sextant/predictions?")


def test_the_document_names_the_prefix_as_its_server(behind):
    document = json.loads(ask(behind, "GET", "/sextant/openapi.json")[2])

    assert document["servers"] == [{"url": "/sextant/"}]


def test_what_a_client_says_of_itself_is_not_believed(behind):
    made_up = {
        "X-Forwarded-For": "192.0.2.66",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
    }

    status, headers, _ = ask(behind, "POST", "/sextant/predict", OBJECT, **made_up)

    assert status == 200
    assert headers["Location"].startswith("/sextant/")
    assert ask(behind, "GET", "/sextant/model", Host="evil.example")[0] == 403
    assert ask(behind, "GET", "/sextant/model", Authorization="Bearer x")[0] == 401


def test_forms_of_its_own_pages_are_taken_and_of_others_not(behind):
    own = {"Origin": "https://stars.example.org"}

    assert ask(behind, "POST", "/sextant/predict", OBJECT, **own)[0] == 200
    foreign = {"Origin": "https://evil.example"}
    assert ask(behind, "POST", "/sextant/predict", OBJECT, **foreign)[0] == 403
