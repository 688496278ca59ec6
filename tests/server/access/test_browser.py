"""A real browser with a key: it shows every page, and lets another site's page do nothing."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from playwright.sync_api import Error

from server.access.api_keys import make_key
from server.access.scopes import SCOPES
from server.app import create_app
from server.config import Settings
from tests.server.conftest import OBJECT, SHIPPED
from tests.server.test_together import Running

pytestmark = pytest.mark.slow
PAGES = ("/", "/predictions", "/predictions?view=pictures", "/monitor", "/labels", "/model", "/sql")
# What a page of another site would try; it runs there, and the browser has the key for here.
ATTEMPT = """
async (server) => {
  const frame = document.createElement("iframe");
  frame.src = `${server}/predictions`;
  document.body.append(frame);
  const simple = {method: "POST", mode: "no-cors", credentials: "include"};
  const told = [];
  for (const [path, given] of [
    ["/v2/models/sdss/infer", {...simple, body: '{"inputs": []}'}],
    ["/sql.csv?q=SELECT+1", {mode: "no-cors", credentials: "include"}],
    ["/predictions?format=json", {credentials: "include"}],
    ["/predictions?id=a", {method: "DELETE", credentials: "include"}],
  ]) {
    try {
      const answer = await fetch(server + path, given);
      told.push(answer.type === "opaque" ? "opaque" : await answer.text());
    } catch (error) { told.push("refused"); }
  }
  return told;
}
"""


class Elsewhere(BaseHTTPRequestHandler):
    """An empty page of another site."""

    def do_GET(self):  # the name of http.server
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    key, line = make_key("person", ",".join(SCOPES))
    database = tmp_path_factory.mktemp("browser") / "predictions.duckdb"
    started = Running(create_app(Settings(model=SHIPPED, database=database, keys=line)))
    started.key = key
    sent = {"Authorization": f"Bearer {key}"}
    ids = ("a", "<script>document.title = 'taken'</script>")
    answers = [started.ask({**OBJECT, "id": each}, **sent)[2] for each in ids]
    started.rows = [f"/predictions/{each['prediction_id']}" for each in answers]
    yield started
    started.stop()
    started.log.close()


@pytest.fixture
def context(browser, running):
    context = browser.new_context(http_credentials={"username": "me", "password": running.key})
    yield context
    context.close()


def test_it_shows_every_page_and_finds_nothing_that_the_policy_forbids(context, running):
    page, told = context.new_page(), []
    page.on("console", lambda message: told.append(f"{page.url}: {message.text}"))
    base = f"http://127.0.0.1:{running.port}"

    for path in (*PAGES, *running.rows):
        assert page.goto(base + path).status == 200, path
        assert "taken" not in page.title()
    page.goto(f"{base}/docs")
    page.wait_for_selector(".swagger-ui .opblock")

    assert told == []


def test_without_a_key_it_is_asked_for_one(browser, running):
    context = browser.new_context()
    try:
        # Where there is nobody to type one, it gives up.
        with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
            context.new_page().goto(f"http://127.0.0.1:{running.port}/predictions")
    finally:
        context.close()


def test_a_page_of_another_site_gets_nothing_and_changes_nothing(context, running):
    lines = []
    running.app.extensions["sextant"].seeing.log_to(lines.append, 0)
    elsewhere = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=elsewhere.serve_forever).start()
    server = f"http://127.0.0.1:{running.port}"
    try:
        page = context.new_page()
        page.goto(server + "/model")  # the browser keeps the key from here on
        lines.clear()
        page.goto(f"http://localhost:{elsewhere.server_port}/")
        told = page.evaluate(ATTEMPT, server)
        frame = page.frames[1].content() if len(page.frames) > 1 else ""
    finally:
        elsewhere.shutdown()
        elsewhere.server_close()

    assert [each for each in told if each not in ("opaque", "refused")] == []
    assert "prediction" not in frame
    # The page before may still be fetching its icon.
    asked = [line for line in lines if not line["route"].startswith("/static/")]
    assert {line["status"] for line in asked} <= {401, 403}
    assert len(asked) >= 3
