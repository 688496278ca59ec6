"""The page of the document shows all of it, to a browser that may load nothing from elsewhere."""

import threading

import pytest
from werkzeug.serving import make_server

from server.openapi.page import kind_of
from tests.server.openapi.test_document import document_of, model_file  # noqa: F401  # a fixture

STRICT = "default-src 'self'"


def test_every_operation_and_schema_of_any_model_is_on_the_page(make_app, model_file):  # noqa: F811
    client = make_app(model=model_file).test_client()
    document = document_of(client)

    page = client.get("/docs").text

    for operations in document["paths"].values():
        for told in operations.values():
            assert f'id="{told["operationId"]}"' in page
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in page


@pytest.mark.parametrize("path", ["/", "/model"])
def test_other_pages_lead_to_it(client, path):
    page = client.get(path, headers={"Accept": "text/html"}).text

    assert 'href="/docs"' in page


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"type": "string", "maxLength": 5}, "string, at most 5 characters"),
        (
            {"type": "array", "items": {"type": "integer"}, "maxItems": 7},
            "array, at most 7 of integer",
        ),
        (
            {"type": ["number", "null"], "format": "float", "maximum": 3e38},
            "number or null (float)",
        ),
        ({"enum": ["a", "é"]}, '"a" | "é"'),
        (
            {"anyOf": [{"$ref": "#/components/schemas/Answer"}, {"type": "string"}]},
            "Answer or string",
        ),
        ({"enum": list(range(14))}, f"{' | '.join(map(str, range(12)))} | 2 more"),
        ({}, "anything"),
    ],
)
def test_what_a_value_is_is_said_in_words(told, said):
    assert "".join(piece.text for piece in kind_of(told)) == said


@pytest.mark.slow
def test_a_browser_shows_it_under_a_strict_policy_and_opens_what_a_link_leads_to(app, browser):
    app.after_request(
        lambda answer: answer.headers.set("Content-Security-Policy", STRICT) or answer
    )
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))

    page.goto(f"http://127.0.0.1:{server.server_port}/docs")
    was_shown = page.is_visible("#schema-Instance table")
    page.click("summary:has-text('/predict ')")
    page.click("#predict a[href='#schema-Instance']")
    page.wait_for_selector("#schema-Instance table", state="visible")
    addresses = page.eval_on_selector_all("a[href^='#']", "all => all.map(a => a.hash.slice(1))")
    missing = [name for name in {*addresses} if page.locator(f"[id='{name}']").count() != 1]
    page.close()
    server.shutdown()

    assert not was_shown
    assert said == []
    assert missing == []
