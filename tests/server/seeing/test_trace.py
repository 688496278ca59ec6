import pytest

from server.seeing.trace import read_traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_trace_is_taken_and_given_a_span_of_its_own():
    trace = read_traceparent(f"00-{TRACE}-{SPAN}-01")

    assert (trace.trace_id, trace.parent_id, trace.flags) == (TRACE, SPAN, "01")
    assert trace.span_id != SPAN
    assert trace.response == f"00-{TRACE}-{trace.span_id}-01"


def test_two_requests_of_a_trace_have_two_spans():
    header = f"00-{TRACE}-{SPAN}-01"

    assert read_traceparent(header).span_id != read_traceparent(header).span_id


def test_a_later_version_may_say_more():
    trace = read_traceparent(f"cc-{TRACE}-{SPAN}-ff-what-comes")

    assert trace.trace_id == TRACE
    assert trace.flags == "03"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "rubbish",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0g",
        f"00-{TRACE}-{SPAN}-01" * 1000,
    ],
)
def test_what_cannot_be_read_is_as_if_it_were_not_there(text):
    assert read_traceparent(text) is None
