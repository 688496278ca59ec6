"""The form and the pages as text, for models of every kind."""

import html
import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from export import export_model
from tests.server.conftest import OBJECT

BROWSER = {"Accept": "text/html"}
ODD = "od280/od315_of~diluted ~1 wines"
FLOUR = "Mehl_größe"


@pytest.fixture(scope="module")
def odd_model(tmp_path_factory):
    """A model whose inputs are one with what a JSON pointer escapes, one beyond ASCII, an int."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(200, 2)).astype(np.float32), columns=[ODD, FLOUR])
    table["count"] = rng.integers(0, 100, 200)
    label = pd.Series(np.where(table[ODD] > 0, "yes", "no"))
    fitted = LogisticRegression().fit(table[:100], label[:100])
    path = tmp_path_factory.mktemp("odd") / "odd.onnx"
    export_model(
        fitted, table[100:], label[100:], path, name="odd", target="taste", X_train=table[:100]
    )
    return path


def fault_of(page, name):
    """Return the message that the field `name` is marked with, or None."""
    fields = re.findall(r"<(?:input|select)[^>]*>", page.text)
    (field,) = (each for each in fields if f'name="{html.escape(name)}"' in each)
    if 'aria-invalid="true"' not in field:
        return None
    place = re.search(r'aria-describedby="(\S+) ', field)[1]
    return html.unescape(re.search(rf'id="{place}">(.*?)<', page.text)[1])


def program_of(page):
    """Return the object that the page sends from a program."""
    return json.loads(html.unescape(re.search(r"-d '(.*?)'</code>", page.text)[1]))


def test_a_fault_finds_its_field_whatever_the_field_is_called(make_app, odd_model):
    client = make_app(model=odd_model).test_client()

    page = client.post("/", data={ODD: "abc", FLOUR: "1", "count": "1"})

    assert page.status_code == 422
    assert f"<strong>{ODD}</strong>" in page.text
    assert fault_of(page, ODD) == "'abc' is not a number"
    assert fault_of(page, FLOUR) is None
    assert "The form holds" not in page.text


@pytest.mark.parametrize(
    ("typed", "detail"),
    [
        *((text, f"'{text}' is not a number") for text in ("abc", "1_0", "١٢", "1,5", "0x10")),
        *((text, f"'{text}' is not a number") for text in ("nan", "-inf", "Infinity", "1e", ".")),
        ("", "missing"),
        ("1e99", "beyond float32, which ends at 3.4e38"),
        ("-1e999", "beyond float32, which ends at 3.4e38"),
    ],
)
def test_what_is_no_number_is_told_so(client, typed, detail):
    page = client.post("/", data={**OBJECT, "u": typed})

    assert page.status_code == 422
    assert fault_of(page, "u") == detail
    assert client.get("/predictions").json["predictions"] == []


@pytest.mark.parametrize(
    ("typed", "value"),
    [(" 18.2 ", 18.2), ("+18.2", 18.2), (".5", 0.5), ("18.", 18), ("1.82e1", 18.2), ("018", 18)],
)
def test_a_number_may_be_written_in_every_usual_way(client, typed, value):
    page = client.post("/", data={**OBJECT, "u": typed})

    assert page.status_code == 200
    assert program_of(page)["u"] == value


@pytest.mark.parametrize(
    ("typed", "detail"),
    [
        ("1_0", "'1_0' is not a number"),
        ("1.5", "1.5 is not written as a whole number"),
        ("9" * 30, "beyond a 64-bit integer"),
        ("9" * 5000, f"'{'9' * 5000}' is not a number"),
    ],
)
def test_what_is_no_whole_number_is_told_so(make_app, odd_model, typed, detail):
    page = (
        make_app(model=odd_model)
        .test_client()
        .post("/", data={ODD: "1", FLOUR: "1", "count": typed})
    )

    assert page.status_code == 422
    assert fault_of(page, "count") == detail


def test_the_page_shows_how_a_program_asks_what_was_typed(make_app, odd_model):
    page = (
        make_app(model=odd_model)
        .test_client()
        .post("/", data={ODD: "0.25", FLOUR: "-1", "count": "7"})
    )

    assert program_of(page) == {ODD: 0.25, FLOUR: -1, "count": 7}
    assert "größe&#34;: -1" in page.text


@pytest.mark.parametrize("origin", ["http://[", "http://localhost:81", "localhost", ""])
def test_an_origin_that_is_not_this_page_is_refused(client, origin):
    assert client.post("/", data=OBJECT, headers={"Origin": origin}).status_code == 403


def test_the_page_itself_may_send_its_form(client):
    page = client.post("/", data=OBJECT, headers={"Origin": "http://localhost"})

    assert page.status_code == 200


def test_a_model_without_trees_units_and_meanings_has_no_words_for_them(make_app, odd_model):
    page = make_app(model=odd_model).test_client().get("/model", headers=BROWSER).text

    assert "thresholds" not in page
    assert not {"<th>Unit</th>", "<th>Meaning</th>", "<th>Given</th>"} & {
        *re.findall("<th>.*?</th>", page)
    }


def test_scores_have_their_decimals(client):
    page = client.get("/model", headers=BROWSER).text

    assert '<td class="number">0.9660</td><td class="number">0.0032</td>' in page


def test_a_value_has_its_unit_where_it_is_known(make_app, regression_model, odd_model):
    app = make_app(model=regression_model.path)
    app.test_client().post("/predict", json={"a": 0, "b": 0})
    own = app.test_client().get("/predictions", headers=BROWSER).text
    app.extensions["sextant"].log.close()

    others = make_app(model=odd_model).test_client().get("/predictions", headers=BROWSER).text

    assert '<span class="unit">m</span>' in own
    assert '<span class="unit">m</span>' not in others


def test_long_names_break_at_their_underscores(make_app, odd_model):
    page = make_app(model=odd_model).test_client().get("/").text

    assert "od280/od315_<wbr>of~diluted" in page
