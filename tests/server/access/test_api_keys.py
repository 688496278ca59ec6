import math
from datetime import UTC, datetime

import pytest

from server.access.api_keys import digest_of, make_key, read_keys
from server.config import InvalidSettings

DIGEST = "9f" * 32


def test_a_key_is_found_by_its_line_and_the_line_does_not_tell_it():
    key, line = make_key("laptop", "predict,read")

    (kept,) = read_keys(["# ours", "", line], "keys.txt").values()

    assert kept.name == "laptop"
    assert kept.scopes == {"predict", "read"}
    assert kept.digest == digest_of(key)
    assert kept.expires_at == math.inf
    assert key not in line
    # 256 bits, in digits of six.
    assert len(key.removeprefix("sextant_")) * 6 >= 256


def test_no_two_keys_are_alike():
    assert len({make_key("a", "read")[0] for _ in range(100)}) == 100


def test_a_key_is_good_to_the_end_of_its_last_day():
    (key,) = read_keys([f"a read {DIGEST} 2027-12-31"], "keys.txt").values()

    assert key.expires_at == datetime(2028, 1, 1, tzinfo=UTC).timestamp()


def test_a_name_may_have_two_keys_while_one_takes_the_place_of_the_other():
    lines = [make_key("laptop", "read")[1] for _ in range(2)]

    assert [each.name for each in read_keys(lines, "keys.txt").values()] == ["laptop"] * 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("laptop", "expected NAME SCOPES SHA256"),
        (f"laptop read {DIGEST} 2027-12-31 more", "expected NAME SCOPES SHA256"),
        (f"10.0.0.1 read {DIGEST}", "a name is a letter"),
        (f"{'a' * 65} read {DIGEST}", "a name is a letter"),
        (f"laptop write {DIGEST}", "'write' is none of predict, read, sql, labels, admin"),
        (f"laptop , {DIGEST}", "expected the scopes"),
        (f"laptop read {DIGEST[2:]}", "64 digits"),
        (f"laptop read {DIGEST.upper()}", "64 digits"),
        (f"laptop read {DIGEST} tomorrow", "no date"),
        (f"laptop read {DIGEST} 9999-12-31", "no date"),
        (f"laptop read sextant_{'kQ7_' * 10}abc", "this is the key itself"),
    ],
)
def test_a_line_that_keeps_no_key_is_named_and_not_repeated(line, message):
    with pytest.raises(InvalidSettings, match=message) as caught:
        read_keys(["# first", line], "keys.txt")

    assert str(caught.value).startswith("keys.txt, line 2: ")
    assert line.split()[-1] not in str(caught.value)


def test_one_key_cannot_stand_under_two_names():
    with pytest.raises(InvalidSettings, match=r"line 2: this key stands there twice"):
        read_keys([f"a read {DIGEST}", f"b admin {DIGEST}"], "keys.txt")
