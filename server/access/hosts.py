"""Which names the server answers to.

Whoever owns a name can have its DNS point here; then a browser takes the server for part of that
site and lets its pages read the answers. So a name counts only if it was told to.
"""

import ipaddress
import re
from functools import lru_cache

from server.config import Settings

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:[0-9]{1,5})?", re.ASCII)


def is_loopback(host: str) -> bool:
    """Say whether `host`, a name or an address without a port, is this machine alone."""
    address = _address(host)
    return address.is_loopback if address else _plain(host) == "localhost"


def own_address(host: str, port: int) -> str:
    """Return where a server that listens on `host` answers those on its machine."""
    address = _address(host)
    if address and address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Hosts:
    """Tells the names of the server from others.

    It answers to what was listed, to the name it listens on, and to addresses, which no DNS can
    lie about: to those of its machine alone where it listens on loopback, else to any.
    """

    def __init__(self, settings: Settings) -> None:
        listed = {_plain(each) for each in settings.allowed_hosts.split(",") if each.strip()}
        self._takes_all = "*" in listed
        self._names = listed | {"localhost", _plain(settings.host)}
        self._is_on_loopback = is_loopback(settings.host)
        # The same few are asked for again and again, by as many requests as there are.
        self.allows = lru_cache(maxsize=256)(self._allows)

    def _allows(self, given: str) -> bool:
        """Tell whether a request that bears this Host is meant for this server."""
        # No browser leaves it out.
        if not given or self._takes_all:
            return True
        matched = _HOST.fullmatch(given)
        if not matched:
            return False
        host = matched[1]
        address = _address(host)
        if address and (address.is_loopback or not self._is_on_loopback):
            return not address.is_unspecified
        return _plain(host) in self._names


def _plain(host: str) -> str:
    return host.strip().strip("[]").rstrip(".").casefold()


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
