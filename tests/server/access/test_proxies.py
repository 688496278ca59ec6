import pytest

from server.access.proxies import Forwarded, Proxies
from server.config import InvalidSettings, Settings

TOLD = {
    "HOST": "127.0.0.1:8080",
    "X_FORWARDED_FOR": "198.51.100.1, 203.0.113.9, 10.0.0.2",
    "X_FORWARDED_PROTO": "https",
    "X_FORWARDED_HOST": "stars.example.org",
    "X_FORWARDED_PREFIX": "/sextant/",
}


@pytest.fixture
def proxies():
    return Proxies(Settings(trusted_proxies="127.0.0.1, 10.0.0.0/8, ::1"))


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_a_trusted_proxy_is_believed_and_nobody_behind_it(proxies, address):
    assert proxies.read(address, TOLD.get) == Forwarded(
        "203.0.113.9", "stars.example.org", "https", "/sextant"
    )


@pytest.mark.parametrize("address", ["203.0.113.9", "127.0.0.2", "no address", ""])
def test_anybody_else_is_not(proxies, address):
    assert proxies.read(address, TOLD.get) == Forwarded(address, "127.0.0.1:8080")


def test_without_a_setting_no_proxy_is_trusted():
    assert Proxies(Settings()).read("127.0.0.1", TOLD.get).address == "127.0.0.1"


@pytest.mark.parametrize(
    ("hops", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("203.0.113.9, unknown", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("<script>", "127.0.0.1"),
    ],
)
def test_who_asked_is_the_last_hop_that_is_no_proxy_of_ours(proxies, hops, address):
    assert proxies.read("127.0.0.1", {"X_FORWARDED_FOR": hops}.get).address == address


@pytest.mark.parametrize(
    ("header", "value", "field", "believed"),
    [
        ("PREFIX", "//evil.example", "prefix", ""),
        ("PREFIX", "/a/../b c", "prefix", ""),
        ("PREFIX", "/", "prefix", ""),
        ("PREFIX", "/evil, /ours", "prefix", "/ours"),
        ("PROTO", "javascript", "scheme", None),
        ("PROTO", "HTTPS", "scheme", "https"),
        ("HOST", "evil.example, ours.example", "host", "ours.example"),
    ],
)
def test_what_makes_no_sense_is_not_believed(proxies, header, value, field, believed):
    told = proxies.read("127.0.0.1", {f"X_FORWARDED_{header}": value}.get)

    assert getattr(told, field) == believed


@pytest.mark.parametrize("text", ["nginx", "10.0.0.1/8", "10.0.0.0/33"])
def test_what_is_no_address_stops_the_start(text):
    with pytest.raises(InvalidSettings, match="SEXTANT_TRUSTED_PROXIES"):
        Proxies(Settings(trusted_proxies=text))
