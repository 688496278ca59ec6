"""The SQL page in a real browser: asked, drawn, downloaded, with and without scripts."""

import urllib.parse

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.server.conftest import OBJECT

pytestmark = pytest.mark.slow
MIX = "SELECT label, count(*) AS n FROM predictions GROUP BY label ORDER BY n DESC"
QUERIES = {
    "empty": "",
    "bars": MIX,
    "line": "SELECT redshift, probabilities.QSO AS qso FROM predictions ORDER BY redshift",
    "wide": "SELECT * FROM predictions",
    "mistake": "SELECT label,\n       lable\nFROM predictions",
    "refused": "SELECT * FROM read_text('/etc/passwd')",
    "none": "SELECT label FROM predictions WHERE false",
    "parameter": "SELECT count(*) AS n FROM predictions WHERE label = $label",
}


@pytest.fixture
def served(start_server):
    server = start_server()
    rows = [{**OBJECT, "redshift": k / 50, "id": f"object {k}"} for k in range(120)]
    server.post("/predict", [*rows, {**OBJECT, "u": 30, "id": "<b>bold</b>" + "long" * 40}])
    return server


def address(server, query):
    return f"{server.url}/sql?{urllib.parse.urlencode({'q': query})}"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_visitor_asks_sees_a_chart_and_downloads_parquet(browser, served, scripts):
    page = browser.new_context(java_script_enabled=scripts, accept_downloads=True).new_page()

    page.goto(served.url)
    page.get_by_role("link", name="SQL").click()
    page.get_by_label("Query").fill(MIX)
    page.get_by_role("button", name="Run").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Parquet", exact=True).click()

    assert urllib.parse.parse_qs(urllib.parse.urlparse(page.url).query)["q"] == [MIX]
    shown = page.locator(".rows tbody tr").first.inner_text().split("\t")
    assert page.get_by_role("img").get_attribute("aria-label").startswith("n by label: 3 values")
    assert page.locator(".chart rect").count() == 3
    table = pl.read_parquet(download.value.path())
    assert table.row(0) == (shown[0], int(shown[1]))
    page.context.close()


def test_control_and_enter_run_the_query_and_back_returns(browser, served):
    page = browser.new_page()

    page.goto(address(served, "SELECT 1 AS one"))
    page.get_by_label("Query").fill("SELECT 2 AS two")
    page.keyboard.press("Control+Enter")
    page.get_by_role("columnheader", name="two").wait_for()
    page.go_back()

    assert page.get_by_role("columnheader").inner_text() == "one"
    page.close()


def test_a_parameter_gets_a_field(browser, served):
    page = browser.new_page()

    page.goto(address(served, QUERIES["parameter"]))
    page.get_by_label("$label").fill("QSO")
    page.get_by_role("button", name="Run").click()

    assert int(page.locator(".rows td").inner_text()) > 0
    assert "label=QSO" in page.url
    page.close()


def test_a_mistake_is_marked_where_it_is(browser, served):
    page = browser.new_page()

    page.goto(address(served, QUERIES["mistake"]))

    told = page.get_by_role("alert").inner_text()
    assert 'Referenced column "lable" not found' in told
    assert "Line 2, column 8" in told
    assert page.locator(".place").inner_text().splitlines() == ["       lable", "       ^"]
    assert page.get_by_label("Query").input_value() == QUERIES["mistake"]
    page.close()


def test_saved_queries_run_or_say_why_not(browser, served):
    page = browser.new_page()

    page.goto(f"{served.url}/sql")
    titles = page.locator(".saved a").all_inner_texts()
    misfits = page.locator(".saved .hint").all_inner_texts()

    assert all("does not fit this log" in misfit for misfit in misfits)
    for title in titles:
        page.get_by_role("link", name=title, exact=True).click()
        assert page.locator(".note.bad").count() == page.locator("input[name=label]").count()
        assert page.get_by_label("Query").input_value()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_state_of_the_page_fits_and_can_be_read_by_all(browser, served, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for name, query in QUERIES.items():
        page.goto(address(served, query))

        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.locator("h1").count() == 1
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"

    assert {url.startswith(served.url) for url in asked} == {True}
    assert complaints == []
    page.close()
