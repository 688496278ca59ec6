import pytest

from server.access.hosts import Hosts, own_address
from server.config import Settings

ANYWHERE = "0.0.0.0"  # noqa: S104  # nothing listens


@pytest.mark.parametrize(
    ("host", "given", "allowed"),
    [
        ("127.0.0.1", "localhost:8080", True),
        ("127.0.0.1", "LOCALHOST.", True),
        ("127.0.0.1", "127.0.0.2:1", True),
        ("127.0.0.1", "[::1]:8080", True),
        ("127.0.0.1", "", True),
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "localhost.evil", False),
        ("127.0.0.1", "10.0.0.1", False),
        ("127.0.0.1", "0.0.0.0", False),  # noqa: S104  # what is refused
        ("127.0.0.1", "localhost:8080@evil.example", False),
        ("127.0.0.1", "localhost, evil.example", False),
        ("127.0.0.1", "localhost\t", False),
        (ANYWHERE, "10.0.0.1:8080", True),
        (ANYWHERE, "[2001:db8::1]", True),
        (ANYWHERE, "0.0.0.0:8080", False),
        (ANYWHERE, "[::]", False),
        (ANYWHERE, "evil.example", False),
        ("stars.example.org", "Stars.Example.org:80", True),
        ("stars.example.org", "example.org", False),
    ],
)
def test_a_server_answers_to_its_own_names_and_to_addresses(host, given, allowed):
    assert Hosts(Settings(host=host)).allows(given) is allowed


def test_more_names_are_listed():
    hosts = Hosts(Settings(allowed_hosts="stars.example.org, 192.0.2.7"))

    assert hosts.allows("stars.example.org")
    assert hosts.allows("192.0.2.7:8080")
    assert not hosts.allows("evil.example")
    assert Hosts(Settings(allowed_hosts="*")).allows("evil.example")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        (ANYWHERE, "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("::1", "http://[::1]:1"),
        ("localhost", "http://localhost:1"),
    ],
)
def test_a_server_is_reached_from_its_own_machine(host, address):
    assert own_address(host, 1) == address
