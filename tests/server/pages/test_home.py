"""The pages in a real browser, wide and narrow, light and dark, without scripts."""

import itertools

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from sklearn.linear_model import LogisticRegression

from export import export_model
from tests.server.conftest import OBJECT

pytestmark = pytest.mark.slow
PATHS = ["/", "/predictions", "/model"]
FAINT = {"u": 23, "g": 22, "r": 15.94699, "i": 15.50342, "z": 15.22531}
# Terms and labels whose text runs out of its box, over what stands beside it.
_SPILLING = """
[...document.querySelectorAll("dt, label, h1, h2")]
  .filter(element => element.scrollWidth > element.clientWidth)
  .map(element => element.textContent)
"""


@pytest.fixture
def served(start_server):
    server = start_server()
    rows = [{**OBJECT, "redshift": 0.1, "id": f"object {number}"} for number in range(60)]
    server.post("/predict", [*rows, {**OBJECT, "u": 30, "id": "<b>bold</b>" + "long" * 40}])
    return server


@pytest.fixture(scope="module")
def hard_model(tmp_path_factory):
    """A model with many classes and features, of long names full of markup."""
    rng = np.random.default_rng(0)
    names = ["od280/od315 of <b>diluted</b> ~1 wines", "Mehl_größe_" * 5, "items", "values"]
    names += [f"a rather long name of feature number {number}" for number in range(26)]
    X = pd.DataFrame(rng.normal(size=(600, 30)).astype(np.float32), columns=names)
    classes = [
        "0",
        "a class <i>with</i> a long name",
        "Without_any_spaces" * 3,
        "x.y",
        "ü",
        *"56789",
    ]
    y = pd.Series(np.array(classes)[np.digitize(X["items"], np.linspace(-1.2, 1.2, 9))])
    fitted = LogisticRegression(max_iter=500).fit(X[:400], y[:400])
    path = tmp_path_factory.mktemp("hard") / "hard.onnx"
    export_model(
        fitted,
        X[400:],
        y[400:],
        path,
        name="a_model_with_a_rather_long_name",
        target="taste",
        X_train=X[:400],
        y_train=y[:400],
    )
    return path


@pytest.fixture
def paths(served):
    """Every page: the last is of a row without explanation, the one before of a novel row."""
    asked = [
        served.post("/predict", {**OBJECT, "redshift": 0.1})[1],
        served.post("/predict", FAINT)[1],
        served.post("/predict?explain=false", OBJECT)[1],
    ]
    return [*PATHS, *(f"/predictions/{each['prediction_id']}" for each in asked)]


def test_a_visitor_without_scripts_predicts_and_finds_it(browser, served):
    page = browser.new_context(java_script_enabled=False).new_page()

    page.goto(served.url)
    page.fill("input[name=redshift]", "")
    page.get_by_role("button", name="Predict").click()
    stored = page.locator(".facts code").inner_text()
    page.get_by_role("link", name="See it among the predictions").click()

    assert "photometric" in page.locator("tbody tr").first.inner_text()
    assert stored in page.locator("tbody tr").first.inner_text()
    page.get_by_role("link", name="Older").click()
    assert page.locator("tbody tr").count() == 12
    assert "object 0" in page.locator("tbody tr").last.inner_text()
    page.get_by_role("link", name="Newest").click()
    assert stored in page.locator("tbody tr").first.inner_text()
    page.context.close()


def test_a_fault_is_shown_where_it_was_typed(browser, served):
    page = browser.new_page()

    page.goto(served.url)
    page.fill("input[name=u]", "bright")
    page.get_by_role("button", name="Predict").click()

    assert "'bright' is not a number" in page.get_by_role("alert").inner_text()
    field = page.locator("input[aria-invalid=true]")
    assert (field.get_attribute("name"), field.input_value()) == ("u", "bright")
    fault, hint = field.get_attribute("aria-describedby").split()
    assert page.locator(f"#{fault}").inner_text() == "'bright' is not a number"
    assert "trained on" in page.locator(f"#{hint}").inner_text()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_pages_fit_and_call_nobody_else(browser, served, paths, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    for path in paths:
        page.goto(served.url + path)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("h1").count() == 1
        assert page.evaluate(_SPILLING) == []

    assert {url.startswith(served.url) for url in asked} == {True}
    assert complaints == []
    page.close()


@pytest.mark.parametrize("width", [360, 1280, 2200])
def test_a_prediction_is_seen_whole_without_scrolling_sideways(browser, served, width):
    page = browser.new_page(viewport={"width": width, "height": 800})

    page.goto(served.url + "/predictions")

    for part in (".said", "td.number", "td.long", ".warn", ".bars"):
        boxes = [each.bounding_box() for each in page.locator(f".log {part}").all()]
        assert boxes
        assert max(box["x"] + box["width"] for box in boxes) <= width
    table = page.locator(".scroll")
    assert table.evaluate("each => each.scrollWidth <= each.clientWidth")
    edges = [page.locator(part).bounding_box()["x"] for part in (".mark", "h1")]
    assert edges[0] == edges[1]
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_pages_are_for_everybody(browser, served, paths, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for path in paths:
        page.goto(served.url + path)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

        found = Axe().run(page)

        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    page.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_pages_of_a_hard_model_fit_and_are_for_everybody(browser, start_server, hard_model, width):
    server = start_server(model=hard_model)
    golden = server.get("/model")[1]["golden"]["inputs"]
    instance = {name: values[0] for name, values in golden.items()} | {"id": "<script>" * 20}
    answer = server.post("/predict", instance)[1]
    page = browser.new_page(viewport={"width": width, "height": 800})
    for path in [*PATHS, f"/predictions/{answer['prediction_id']}"]:
        page.goto(server.url + path)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

        found = Axe().run(page)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(_SPILLING) == []
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    page.close()


def test_nothing_on_a_page_needs_inline_styles_or_scripts(browser, served, paths):
    page = browser.new_page()
    for path in paths:
        page.goto(served.url + path)

        assert page.locator("[style], style, script").count() == 0
    page.close()


def test_the_table_leads_to_the_page_of_each_prediction(browser, served, paths):
    page = browser.new_context(java_script_enabled=False).new_page()

    page.goto(served.url + "/predictions")
    page.locator("tbody tr").nth(1).get_by_role("link").click()

    assert page.url == served.url + paths[-2]
    assert "This row is unlike those the model was trained on" in page.inner_text("main")
    page.get_by_role("link", name="Back to the predictions").click()
    assert page.url == served.url + "/predictions"
    page.context.close()


def test_the_waterfall_that_is_read_adds_up(browser, served, paths):
    page = browser.new_page()

    page.goto(served.url + paths[-3])

    for table in page.locator(".waterfall").all():
        texts = table.locator("tbody td.number").all_inner_texts()
        base, *added, score = (float(text.replace("\N{MINUS SIGN}", "-")) for text in texts)
        assert base + sum(added) == pytest.approx(score, abs=0.005)
    page.close()


def test_bars_meet_from_row_to_row(browser, served, paths):
    page = browser.new_page(viewport={"width": 1280, "height": 800})

    page.goto(served.url + paths[-3])

    boxes = [each.bounding_box() for each in page.locator(".waterfall").first.locator(".bar").all()]
    for above, below in itertools.pairwise(boxes):
        assert above["y"] + above["height"] == pytest.approx(below["y"], abs=2)
    page.close()


@pytest.fixture
def many(start_server):
    """A log of three labels, some of it novel, some without redshift."""
    server = start_server()
    golden = server.get("/model")[1]["golden"]["inputs"]
    rows = [dict(zip(golden, values, strict=True)) for values in zip(*golden.values(), strict=True)]
    server.post("/predict", [{**row, "id": f"row {n}"} for n, row in enumerate(rows * 20)])
    return server


LOG_PATHS = [
    "/predictions?view=pictures",
    "/predictions?view=pictures&x=in.redshift&y=p&label=STAR",
    "/predictions?label=QSO&label=STAR&in.u=10..19.5&sort=-in.u&col=id&col=in.u&col=p&col=novelty",
    "/predictions?id=none",
    "/predictions?follow=1",
    "/predictions?in.u=abc",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_views_of_the_log_fit_and_are_for_everybody(browser, many, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for path in LOG_PATHS:
        page.goto(many.url + path)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

        found = Axe().run(page)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(_SPILLING) == []
        assert page.locator("[style], style").count() == 0
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    page.close()


def test_a_visitor_predicts_filters_draws_takes_a_file_opens_one_and_asks(browser, many):
    page = browser.new_context(java_script_enabled=False, accept_downloads=True).new_page()
    page.goto(many.url)
    page.fill("input[name=redshift]", "2.5")
    page.get_by_role("button", name="Predict").click()
    label = page.locator(".label").inner_text()
    page.get_by_role("link", name="Predictions", exact=True).click()

    page.locator("summary", has_text="Filter").click()
    page.get_by_role("checkbox", name=label).check()
    page.get_by_role("textbox", name="redshift").fill("2.4..2.6")
    page.get_by_role("button", name="Show").first.click()

    assert page.url == f"{many.url}/predictions?label={label}&in.redshift=2.4..2.6"
    shown = page.locator("tbody tr").count()
    assert page.locator(".count strong").inner_text() == str(shown)
    page.get_by_role("link", name="redshift", exact=True).click()
    assert "sort=-in.redshift" in page.url
    page.get_by_role("link", name="Pictures").click()
    page.get_by_label("Up").select_option("in.redshift")
    page.get_by_role("button", name="Draw").click()
    assert "y=in.redshift" in page.url
    assert page.locator(".cells path").count() > 0
    with page.expect_download() as download:
        page.get_by_role("link", name="Parquet").click()
    table = pd.read_parquet(download.value.path())
    assert len(table) == shown
    assert set(table["label"]) == {label}
    page.get_by_role("link", name="Table").click()
    page.locator("tbody tr").first.get_by_role("link").click()
    assert label in page.locator("main").inner_text()
    page.get_by_role("link", name="SQL", exact=True).click()
    page.get_by_label("Query").fill(
        f"SELECT count(*) AS n FROM predictions "
        f"WHERE label = '{label}' AND redshift BETWEEN 2.4 AND 2.6"
    )
    page.get_by_role("button", name="Run").click()
    assert page.locator(".rows tbody tr").inner_text() == str(shown)
    page.context.close()


def test_bars_and_labels_lead_to_what_they_show(browser, many):
    page = browser.new_page()
    page.goto(many.url + "/predictions?view=pictures")
    row = page.locator(".shares tr", has_text="STAR")
    shown = row.locator("td.number").inner_text().split()[0]

    row.get_by_role("link").click()

    assert page.url == many.url + "/predictions?view=pictures&label=STAR"
    assert page.locator(".count strong").inner_text() == shown
    page.locator("summary", has_text="The numbers").last.click()
    cells = page.locator(".numbers tbody tr").last.locator("th, td")
    number = cells.last.inner_text()
    cells.first.get_by_role("link").click()
    assert page.locator(".count strong").inner_text() == number
    page.get_by_role("link", name="Take away label STAR").click()
    assert "label=" not in page.url
    page.close()


def test_a_followed_page_shows_what_arrives_and_says_so(browser, many):
    page = browser.new_page()
    page.goto(many.url + "/predictions")
    page.get_by_role("link", name="Follow").click()
    before = page.locator(".count strong").inner_text()

    many.post("/predict", {**OBJECT, "id": "just arrived"})
    page.locator("tr.fresh", has_text="just arrived").wait_for()

    assert page.locator(".count strong").inner_text() == str(int(before) + 1)
    assert "predictions" in page.get_by_role("status").inner_text()
    page.get_by_role("link", name="Stop following").focus()
    many.post("/predict", {**OBJECT, "id": "another"})
    page.locator("tr.fresh", has_text="another").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Stop following"
    page.keyboard.press("Enter")
    page.wait_for_url(many.url + "/predictions")
    page.close()
