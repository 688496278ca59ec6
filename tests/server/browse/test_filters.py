"""What the parameters of an address let through, asked of a real log."""

from datetime import datetime

import pytest

from server.browse.filters import Filter, InvalidQuery, read_filter
from tests.server.conftest import OBJECT, listed_ids

ROWS = [
    {**OBJECT, "u": 17.5, "redshift": 0.1, "id": "a-1"},
    {**OBJECT, "u": 18.5, "redshift": None, "id": "a-2"},
    {**OBJECT, "u": 19.4, "redshift": 2.5, "id": "b-1"},
    {**OBJECT, "u": 30, "redshift": 0.1},
]
NOW = datetime(2026, 11, 22, 12)


@pytest.fixture(scope="module")
def filled(filled_with):
    return filled_with(ROWS)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a-1", "a-2", "b-1", None]),
        ("in.u=17..19", ["a-1", "a-2"]),
        ("in.u=17.5..18.5", ["a-1", "a-2"]),
        ("in.u=19.4", ["b-1"]),
        ("in.u=19..", ["b-1", None]),
        ("in.u=..18", ["a-1"]),
        ("in.u=17..18&in.u=29..31", ["a-1", None]),
        ("in.u=1e300..", []),
        ("in.redshift=null", ["a-2"]),
        ("in.redshift=!null", ["a-1", "b-1", None]),
        ("id=a-1", ["a-1"]),
        ("id=a-*", ["a-1", "a-2"]),
        ("id=*", ["a-1", "a-2", "b-1"]),
        ("id=%3Da-*", []),
        ("id=null", [None]),
        ("id=a-1&id=b-1", ["a-1", "b-1"]),
        ("warnings=any", [None]),
        ("warnings=none", ["a-1", "a-2", "b-1"]),
        ("warnings=of.u", [None]),
        ("warnings=of.g", []),
        ("novelty=of.u-g&id=null", [None]),
        ("out.head=photometric", ["a-2"]),
        ("model=sdss&in.u=18..19", ["a-2"]),
        ("version=another", []),
        ("label=GALAXY&label=QSO&label=STAR", ["a-1", "a-2", "b-1", None]),
        ("label=%3DSTAR&label=no such", []),
        ("p=0..1", ["a-1", "a-2", "b-1", None]),
        ("p=..0.2", []),
        ("instance=0..1", ["a-1", "a-2"]),
        ("last=1h", ["a-1", "a-2", "b-1", None]),
        ("from=2020-01-01&to=2021-01-01T00:00:00Z", []),
        ("from=2020-01-01", ["a-1", "a-2", "b-1", None]),
        ("id=", ["a-1", "a-2", "b-1", None]),
        ("unknown=1", ["a-1", "a-2", "b-1", None]),
    ],
)
def test_what_fits_is_found(filled, query, expected):
    if query.startswith("label=%3DSTAR"):
        expected = [
            row["id"]
            for row in filled.get("/predictions?sort=time").json["predictions"]
            if row["label"] == "STAR"
        ]
    assert listed_ids(filled, query) == expected


@pytest.mark.parametrize("name", ["GALAXY", "QSO", "STAR"])
def test_the_probability_of_a_class_is_compared_as_it_is_answered(filled, name):
    rows = filled.get("/predictions?sort=time").json["predictions"]
    bound = sorted(row["probabilities"][name] for row in rows)[2]

    found = listed_ids(filled, f"p.{name}={bound!r}..")

    assert found == [row["id"] for row in rows if row["probabilities"][name] >= bound]


def test_novelty_and_the_set_are_found_as_they_are_answered(filled):
    rows = filled.get("/predictions?sort=time").json["predictions"]

    assert listed_ids(filled, "novelty=any") == [row["id"] for row in rows if row["novelty"]]
    assert listed_ids(filled, "novelty=none") == [row["id"] for row in rows if not row["novelty"]]
    assert listed_ids(filled, "set=2..") == [
        row["id"] for row in rows if len(row["prediction_set"]) > 1
    ]


def test_what_was_not_computed_is_neither_novel_nor_not(client):
    client.post("/predict?explain=false", json={**OBJECT, "id": "bare"})

    assert listed_ids(client, "novelty=any") + listed_ids(client, "novelty=none") == []
    assert listed_ids(client, "novelty=null") == ["bare"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("in.u=abc", "in.u=abc: 'abc' is not a number"),
        ("in.u=19..17", "17..19?"),
        ("in.u=..", "a range such as"),
        ("in.u=nan", "not a number"),
        ("in.u=1_0", "not a number"),
        ("in.w=1", "in.w=1: nothing that is stored here bears that name"),
        ("p.quasar=1", "p.quasar=1"),
        ("value=1", "value=1"),
        ("instance=1.5", "instance=1.5"),
        ("instance=" + "9" * 40, "not a whole number of 64 bits"),
        ("last=1y", "last=1y: give a number with s, m, h, d or w"),
        ("last=999999w", "longer ago than the calendar reaches"),
        ("last=1h&from=2026-01-01", "either last, or from and to"),
        ("from=yesterday", "from=yesterday: give a time in UTC"),
        ("from=0001-01-01T00:00:00%2B14:00", "from="),
        ("from=2026-01-02&to=2026-01-01", "ends before it begins"),
        ("from=2026-01-02&from=2026-01-03", "give it once"),
        ("sort=in.w", "sort=in.w"),
        ("sort=1;drop", "sort=1;drop"),
        ("x=in.u", "y="),
        ("x=in.u&y=label", "y=label"),
        ("view=map", "view=map: there is table and pictures"),
        ("follow=2", "follow=2"),
        ("before=x", "before=x"),
        (f"before={'0' * 32}&after={'0' * 32}", "either before or after"),
        (f"before={'0' * 32}", "no such prediction is stored"),
        (f"before={'f' * 12}7fff8{'f' * 15}", "no such prediction is stored"),
    ],
)
def test_what_is_wrong_is_named_to_programs_and_on_the_page(filled, query, detail):
    answer = filled.get(f"/predictions?{query}")

    assert answer.status_code == 400
    assert detail in answer.json["detail"]
    page = filled.get(f"/predictions?{query}", headers={"Accept": "text/html"})
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    if query == "in.u=abc":
        assert page.text.count('aria-invalid="true"') == 1


def test_integers_and_texts_are_asked_for_as_what_they_are(make_app, binary_model):
    client = make_app(model=binary_model.path).test_client()
    rows = binary_model.X_holdout.to_dict("records")[:40]
    client.post("/predict", json=[{**row, "id": str(n)} for n, row in enumerate(rows)])

    assert listed_ids(client, "in.age=3..5") == [
        str(n) for n, row in enumerate(rows) if 3 <= row["age"] <= 5
    ]
    assert listed_ids(client, "in.island=Dream&in.ring colour=red") == [
        str(n)
        for n, row in enumerate(rows)
        if (row["island"], row["ring colour"]) == ("Dream", "red")
    ]
    assert listed_ids(client, "in.island=D*") == [
        str(n) for n, row in enumerate(rows) if row["island"] == "Dream"
    ]


def test_a_regression_is_asked_for_its_value(make_app, regression_model):
    client = make_app(model=regression_model.path).test_client()
    rows = regression_model.X_holdout.astype(object).where(regression_model.X_holdout.notna(), None)
    sent = [{**row, "id": str(n)} for n, row in enumerate(rows.to_dict("records")[:30])]
    answers = client.post("/predict", json=sent).json["predictions"]

    assert listed_ids(client, "value=40..45") == [
        str(n) for n, each in enumerate(answers) if 40 <= each["value"] <= 45
    ]
    assert client.get("/predictions?p=0.5").status_code == 400
    low = sorted(each["interval"]["low"] for each in answers)[5]
    assert len(listed_ids(client, f"interval.low=..{low!r}")) == 6


def test_a_table_of_another_contract_that_lacks_a_feature_has_no_row_that_fits(
    make_app, binary_model
):
    first = make_app(model=binary_model.path)
    rows = binary_model.X_holdout.to_dict("records")[:3]
    first.test_client().post("/predict", json=[{**row, "id": "penguin"} for row in rows])
    first.extensions["sextant"].log.close()
    client = make_app().test_client()
    client.post("/predict", json=ROWS)

    assert listed_ids(client) == ["penguin"] * 3 + [row.get("id") for row in ROWS]
    assert listed_ids(client, "in.u=0..100") == [row.get("id") for row in ROWS]
    assert listed_ids(client, "in.age=0..100") == ["penguin"] * 3
    assert listed_ids(client, "in.age=0..100&in.u=0..100") == []
    assert listed_ids(client, "label=male&label=female&label=STAR&in.u=null") == []
    for query in ("sort=in.u", "sort=-in.island", "view=pictures", "view=pictures&x=in.u&y=in.age"):
        page = client.get(f"/predictions?{query}", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "7</strong> predictions" in page.text


def test_a_time_with_a_zone_is_brought_to_utc():
    found = read_filter({"from": ["2026-11-22T02:00:00+02:00"]}, [], NOW)

    assert found.since == datetime(2026, 11, 22)


def test_relative_times_count_from_now():
    assert read_filter({"last": ["90m"]}, [], NOW).since == datetime(2026, 11, 22, 10, 30)


def test_nothing_asked_for_is_everything():
    assert read_filter({"limit": ["3"], "format": ["json"]}, [], NOW) == Filter()


def test_an_unknown_name_is_told_even_where_nothing_is_stored():
    with pytest.raises(InvalidQuery, match=r"in\.u=1"):
        read_filter({"in.u": ["1"]}, [], NOW)
