import pytest
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from server.tables.media import CSV, JSON, NDJSON, PARQUET, find_formats
from tests.server.tables.conftest import refused


def formats(mimetype, accept="", **options):
    return find_formats(mimetype, options, parse_accept_header(accept, MIMEAccept))


@pytest.mark.parametrize(
    ("mimetype", "kind"),
    [
        ("application/json", JSON),
        ("text/csv", CSV),
        ("application/x-ndjson", NDJSON),
        ("application/ndjson", NDJSON),
        ("application/jsonl", NDJSON),
        ("application/vnd.apache.parquet", PARQUET),
    ],
)
@pytest.mark.parametrize("accept", ["", "*/*", "application/*, text/*", "text/html, */*;q=0.1"])
def test_what_asks_for_nothing_in_particular_is_answered_in_kind(mimetype, kind, accept):
    assert formats(mimetype, accept)[:2] == (kind, kind)


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("text/csv", CSV),
        ("application/json", JSON),
        ("application/json;q=0.5, text/csv;q=0.6", CSV),
        ("application/json;q=0.5, application/x-ndjson", NDJSON),
        ("application/vnd.apache.parquet, */*;q=0.1", PARQUET),
        ("text/*", CSV),
        ("application/x-ndjson;q=0, application/*", JSON),
        ("application/json, text/csv", JSON),
    ],
)
def test_the_answer_is_what_is_most_welcome(accept, answer):
    assert formats("application/x-ndjson", accept).answer == answer


def test_an_answer_bears_the_name_it_was_asked_for_under():
    assert formats("text/csv", "application/jsonl") == (CSV, NDJSON, "application/jsonl")
    assert formats("application/jsonl").content_type == NDJSON


@pytest.mark.parametrize("accept", ["text/html", "image/*", "text/csv;q=0", "nonsense"])
def test_what_takes_nothing_of_ours_is_told_what_there_is(accept):
    status, detail, _ = refused(formats, "text/csv", accept)

    assert status == 406
    assert "application/json, text/csv, application/x-ndjson and" in detail


@pytest.mark.parametrize(
    ("mimetype", "options"),
    [
        ("", {}),
        ("text/plain", {}),
        ("application/octet-stream", {}),
        ("multipart/form-data", {}),
        ("text/csv", {"charset": "latin-1"}),
        ("application/x-ndjson", {"charset": "utf-16"}),
        ("text/csv", {"header": "absent"}),
    ],
)
def test_bodies_of_other_kinds_are_refused(mimetype, options):
    assert refused(lambda: formats(mimetype, **options))[0] == 415


def test_a_charset_that_is_utf_8_is_taken():
    assert formats("text/csv", charset="UTF-8", header="present").body == CSV
