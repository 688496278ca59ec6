import pytest

from server.keys import MalformedKey, to_key


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('  "run 7, row 9; again"  ', "run 7, row 9; again"),
        (r'"say \"so\" \\"', r'say "so" \\'[:-1]),
        ("a/b+c=d:e_f~!#", "a/b+c=d:e_f~!#"),
        ("k" * 255, "k" * 255),
    ],
)
def test_a_key_is_a_string_in_quotes_or_a_bare_word(given, text):
    assert to_key(given).text == text


@pytest.mark.parametrize(
    "given",
    [
        "",
        '""',
        '"',
        '"open',
        'half"way',
        '"a", "b"',
        "a, b",
        "a b",
        '"a";q=1',
        r'"\x"',
        "schlüssel",
        '"schlüssel"',
        "line\nfeed",
        "k" * 256,
        '"' + "k" * 256 + '"',
    ],
)
def test_what_names_no_request_is_refused(given):
    with pytest.raises(MalformedKey, match="1 to 255 visible ASCII characters"):
        to_key(given)


def test_the_fingerprint_is_of_each_part_by_itself():
    fingerprints = {
        to_key("k", *parts).fingerprint
        for parts in [("ab", "c"), ("a", "bc"), ("abc",), ("ab", b"d"), ("", "abc")]
    }

    assert len(fingerprints) == 5
    assert to_key("k", "ab", "c").fingerprint == to_key('"other"', b"ab", "c").fingerprint
