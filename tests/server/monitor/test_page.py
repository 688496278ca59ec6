"""The monitor in a real browser: predicted, labelled, seen; and as everybody can read it."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.server.monitor.test_routes import rows_of

pytestmark = pytest.mark.slow


@pytest.fixture
def served(start_server, model_path):
    return start_server(model=model_path)


def test_a_visitor_predicts_labels_and_watches_the_accuracy_appear(browser, served, X, y):
    rows = [{**row, "id": str(key)} for key, row in zip(X.index, rows_in_order(X), strict=True)]
    _, answer = served.post("/predict", rows[:300])
    page = browser.new_page()

    page.goto(served.url)
    page.get_by_role("link", name="Monitor").click()
    without = page.get_by_role("heading", name="Accuracy").count()
    labels = [{"id": str(key), "label": label} for key, label in list(y.items())[:300]]
    status, told = served.post("/labels", labels)
    page.reload()

    assert (status, told.get("errors")) in ((200, None), (201, None))
    assert without == 0
    assert page.get_by_role("heading", name="Accuracy").is_visible()
    page.locator("figure", has=page.get_by_role("heading", name="Accuracy")).get_by_text(
        "The numbers"
    ).click()
    shown = page.get_by_role("region", name="Accuracy over time").locator("tbody td").all()
    right = sum(
        said["label"] == label["label"]
        for said, label in zip(answer["predictions"], labels, strict=True)
    )
    assert shown[0].inner_text() == f"{100 * right / 300:.3g} %"
    assert shown[2].inner_text() == "300"
    page.close()


def rows_in_order(X):
    return json.loads(X.to_json(orient="records", double_precision=9))


def test_a_shift_is_named_drawn_and_asked_in_sql(browser, served, X):
    served.post("/predict", rows_of(X.assign(u=X["u"] + 1), 1000))
    page = browser.new_context(java_script_enabled=False).new_page()

    page.goto(f"{served.url}/monitor")
    page.locator("#alarms").get_by_role("link", name="u drifts").click()
    row = page.locator(".drifts > tbody > tr").filter(has_text="u input")
    told = row.locator("summary").first.inner_text()
    drawn = row.locator(".pairs rect").count()
    row.get_by_role("link", name="SQL of u").click()

    assert drawn >= 20
    cells = page.locator(".rows tbody tr").first.locator("td").all_inner_texts()
    assert told.startswith(f"PSI {float(cells[-1]):.3f}")
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_read_it(browser, served, X, width, scheme):
    served.post("/predict", rows_of(X.assign(u=X["u"] + 1), 300))
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)

    page.goto(f"{served.url}/monitor")
    found = Axe().run(page).response["violations"]

    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert problems == []
    page.close()
