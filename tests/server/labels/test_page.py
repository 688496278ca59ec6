"""The page of labels in a real browser, and labels that outlive a killed process."""

import contextlib
import signal
import threading
import time
from http.client import HTTPException

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.server.conftest import OBJECT

pytestmark = pytest.mark.slow


@pytest.fixture
def judged(start_server):
    server = start_server()
    rows = [{**OBJECT, "redshift": k / 50, "id": f"object {k}"} for k in range(60)]
    predicted = server.post("/predict", rows)[1]["predictions"]
    labels = [
        {"prediction_id": each["prediction_id"], "label": each["label"] if k % 5 else "QSO"}
        for k, each in enumerate(predicted)
    ]
    odd = {"id": "<b>bold</b>" + "long" * 40, "label": "MOON" * 100, "given_by": "_" * 200}
    server.post("/labels", [*labels, odd])
    return server, predicted[0]["prediction_id"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_accessible_and_fits(browser, judged, width, scheme):
    server, _ = judged
    size = {"width": width, "height": 800}
    page = browser.new_page(viewport=size, color_scheme=scheme)

    for query in ("", "?to=2020-01-01", "?model=another"):
        page.goto(f"{server.url}/labels{query}")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_a_visitor_says_what_is_true_and_sees_it_counted_without_scripts(browser, judged):
    server, prediction_id = judged
    page = browser.new_context(java_script_enabled=False).new_page()

    page.goto(f"{server.url}/predictions/{prediction_id}")
    page.get_by_label("Label", exact=True).select_option("GALAXY")
    page.get_by_label("Given by").fill("eyes")
    page.get_by_role("button", name="Replace").click()
    said = page.locator(".said li").all_inner_texts()
    page.goto(server.url)
    page.get_by_role("link", name="Labels").click()

    assert len(said) == 2
    assert said[0].startswith("GALAXY")
    assert "60 of 60" in page.get_by_role("status").inner_text()
    assert page.get_by_role("link", name=prediction_id).count() > 0
    page.get_by_role("link", name="SQL").nth(1).click()
    assert page.get_by_role("heading", name="Result").is_visible()
    page.context.close()


def test_no_acknowledged_label_is_lost_when_the_process_is_killed(start_server, tmp_path):
    acknowledged = []

    def give(server, own):
        number = 0
        # A connection that breaks is what the server's end looks like from here.
        with contextlib.suppress(OSError, HTTPException):
            while True:
                ids = [f"{own} {number} {k}" for k in range(1 + number % 3)]
                body = [{"id": each, "label": "STAR"} for each in ids]
                server.post("/predict", [{**OBJECT, "id": ids[0]}])
                if server.post("/labels", body)[0] == 200:
                    acknowledged.extend(ids)
                number += 1

    for turn in range(5):
        server = start_server()
        threads = [threading.Thread(target=give, args=(server, f"{turn} {k}")) for k in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.5 + turn / 5)
        server.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()

    with duckdb.connect(tmp_path / "predictions.duckdb", read_only=True) as database:
        stored = database.execute("SELECT id FROM labels").fetchall()
    assert acknowledged
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= {name for (name,) in stored}
