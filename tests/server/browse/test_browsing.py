"""Pages of the log: in any order, forwards and back, while rows arrive."""

import re

import pytest

from server.storage.snapshots import ReadTooLong
from server.storage.tasks import LogUnavailable
from tests.server.conftest import OBJECT

BROWSER = {"Accept": "text/html"}
SHIFTS = [0.3, None, 0.1, 0.3, 2.0, None, 0.1, 0.3, 1.5]


@pytest.fixture
def filled(client):
    """Rows with ties and missing values in what they are sorted by."""
    rows = [{**OBJECT, "redshift": z, "id": str(n)} for n, z in enumerate(SHIFTS)]
    client.post("/predict", json=rows)
    return client


def link(page, name):
    found = re.search(rf'<a href="([^"]+)" rel="[a-z]+">{name}</a>', page)
    return found and found[1].replace("&amp;", "&")


def ids(page):
    return re.findall(r'<td class="long"><span>(\d+)</span>', page)


def expected(sort):
    """Return the ids in the order that `sort` means: missing values last, ties by age."""
    is_descending = sort.startswith("-")
    numbers = range(len(SHIFTS))
    if sort.lstrip("-") == "time":
        ordered = sorted(numbers, reverse=is_descending)
    else:
        present = [n for n in numbers if SHIFTS[n] is not None]
        ordered = sorted(present, key=lambda n: (SHIFTS[n], n), reverse=is_descending)
        ordered += sorted(set(numbers) - set(present), reverse=is_descending)
    return [str(n) for n in ordered]


@pytest.mark.parametrize("sort", ["-time", "time", "in.redshift", "-in.redshift"])
@pytest.mark.parametrize("limit", [2, 3])
def test_pages_go_on_and_back_without_gap_or_overlap_while_rows_arrive(filled, sort, limit):
    last_of_all = {**OBJECT, "redshift": None, "id": "99"}
    forwards, pages = [], []
    path = f"/predictions?sort={sort}&limit={limit}&id=0&id=1&id=2&id=3&id=4&id=5&id=6&id=7&id=8"
    while path:
        pages.append(filled.get(path, headers=BROWSER).text)
        forwards += ids(pages[-1])
        path = link(pages[-1], "Older") or link(pages[-1], "Next")
        filled.post("/predict", json=last_of_all)

    assert forwards == expected(sort)
    backwards = []
    path = link(pages[-1], "Newer") or link(pages[-1], "Previous")
    while path:
        page = filled.get(path, headers=BROWSER).text
        backwards = ids(page) + backwards
        path = link(page, "Newer") or link(page, "Previous")
    assert backwards == forwards[: len(forwards) - len(ids(pages[-1]))]


@pytest.mark.parametrize("sort", ["-time", "time", "in.redshift", "-in.redshift", "label", "-p"])
def test_programs_follow_next_in_any_order(filled, sort):
    rows, path = [], f"/predictions?sort={sort}&limit=2"
    while path:
        page = filled.get(path).json
        rows += page["predictions"]
        path = page["next"]

    assert len({row["prediction_id"] for row in rows}) == len(SHIFTS)
    whole = filled.get(f"/predictions?sort={sort}").json["predictions"]
    assert [row["id"] for row in rows] == [row["id"] for row in whole]


def test_next_keeps_what_was_asked(filled):
    page = filled.get("/predictions?in.redshift=0.3&limit=2&sort=in.u").json

    assert "in.redshift=0.3" in page["next"]
    assert [row["id"] for row in filled.get(page["next"]).json["predictions"]] == ["7"]


def test_the_cursor_of_a_row_that_is_gone_still_says_its_time(filled):
    newest = filled.get("/predictions?limit=1").json["predictions"][0]["prediction_id"]
    later = f"{int(newest[:8], 16) + 1:08x}{newest[8:]}"

    assert len(filled.get(f"/predictions?before={later}").json["predictions"]) == len(SHIFTS)
    assert filled.get(f"/predictions?sort=in.u&before={later}").status_code == 400


def test_empty_fields_of_the_form_leave_the_address(client):
    answer = client.get("/predictions?in.u=&label=STAR&last=&limit=10", headers=BROWSER)

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/predictions?label=STAR&limit=10"


def test_the_page_counts_what_fits(filled):
    page = filled.get("/predictions?in.redshift=0.3", headers=BROWSER).text

    assert "<strong>3</strong> predictions fit" in page
    assert re.search(r"in \d+\.\d\d s", page)


def test_nothing_that_fits_is_said(filled):
    assert "Nothing fits" in filled.get("/predictions?id=none", headers=BROWSER).text


def test_columns_are_chosen(filled):
    page = filled.get("/predictions?col=id&col=p.STAR&col=in.redshift", headers=BROWSER).text

    head = re.search(r"<thead>.*?</thead>", page, re.DOTALL)[0]
    assert re.findall(r">([^<>]+)</a>", head) == ["id", "p(STAR)", "redshift"]


def test_a_followed_page_reloads_itself_without_scripts(filled):
    page = filled.get("/predictions?follow=1", headers=BROWSER).text

    assert '<noscript><meta http-equiv="refresh"' in page
    assert 'src="/static/follow.js"' in page
    assert "refresh" not in filled.get("/predictions", headers=BROWSER).text


@pytest.mark.parametrize(
    "query", ["view=pictures", "view=pictures&x=p&y=in.redshift", "view=pictures&in.redshift=null"]
)
def test_pictures_are_drawn_without_scripts_and_styles(filled, query):
    page = filled.get(f"/predictions?{query}", headers=BROWSER).text

    assert "<script" not in page
    assert "style=" not in page
    assert page.count('<svg class="stack"') == 2


def test_a_reader_does_not_see_what_is_stored_meanwhile(filled, app):
    with app.extensions["sextant"].log.reading() as snapshot:
        count = "SELECT count(*) FROM predictions"
        before = snapshot.cursor.execute(count).fetchone()
        filled.post("/predict", json=OBJECT)

        assert snapshot.cursor.execute(count).fetchone() == before


def test_a_reader_can_change_nothing(app):
    log = app.extensions["sextant"].log

    with pytest.raises(LogUnavailable, match="cannot be read"), log.reading() as snapshot:
        snapshot.cursor.execute("DROP VIEW predictions")


def test_a_reader_that_takes_too_long_is_stopped(app):
    log = app.extensions["sextant"].log

    with pytest.raises(ReadTooLong, match="longer than"), log.reading(0.05) as snapshot:
        snapshot.cursor.execute("SELECT count(*) FROM range(10000000000) WHERE range % 7 = 3")
