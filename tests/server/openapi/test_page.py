"""The page of the document, as a person meets it."""

import gzip
import hashlib
import re
import threading

import pytest
from werkzeug.serving import make_server

from tests.server.conftest import ROOT

STATIC = ROOT / "server" / "static"
(VENDORED,) = (STATIC / "vendor").glob("swagger-ui-*")


def test_without_scripts_the_page_names_every_route(client):
    page = client.get("/docs").text
    document = client.get("/openapi.json").json

    found = re.findall(r"<tr><td>(\w+)</td><th scope=\"row\"><code>([^<]+)</code>", page)

    assert sorted(found) == sorted(
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    )


def test_the_vendored_files_are_those_that_were_published():
    sums = dict(
        reversed(line.split()) for line in (VENDORED / "SHA256SUMS").read_text().splitlines()
    )

    for name, digest in sums.items():
        content = gzip.decompress((VENDORED / f"{name}.gz").read_bytes())
        assert hashlib.sha256(content).hexdigest() == digest, name
    assert {f"{name}.gz" for name in sums} == {path.name for path in VENDORED.glob("*.gz")}
    assert "Apache License" in (VENDORED / "LICENSE").read_text()


def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_script_or_style(client):
    page = client.get("/docs").text

    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page)
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        with client.get(address) as file:
            assert file.status_code == 200, address


def test_a_browser_is_told_that_the_files_are_packed(client):
    for name, kind in (("swagger-ui-bundle.js.gz", "javascript"), ("swagger-ui.css.gz", "css")):
        with client.get(f"/static/vendor/{VENDORED.name}/{name}") as response:
            assert response.headers["Content-Encoding"] == "gzip"
            assert response.mimetype == f"text/{kind}"


@pytest.fixture
def strict_url(app):
    """The app behind the strictest policy, on a port of its own."""

    @app.after_request
    def keep_out(response):
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        return response

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_prediction_is_made_from_the_page_under_a_strict_policy(
    browser, strict_url, client, scheme, width
):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    told = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))

    page.goto(f"{strict_url}/docs")
    page.click("#operations-Predictions-predict .opblock-summary-control")
    page.click("text=Try it out")
    page.click("button.execute")
    page.wait_for_selector(".live-responses-table .response-col_status:has-text('200')")

    assert client.get("/predictions").json["predictions"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert told == []
    page.close()
