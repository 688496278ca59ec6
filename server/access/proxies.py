"""What proxies that are trusted say of a request: who asked them, by which name and scheme, where.

werkzeug's ProxyFix believes whoever connects, and Waitress one address and no path prefix; both
know WSGI alone, and single predictions are answered without it.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from server.config import InvalidSettings, Settings

_FIELDS = ("FOR", "PROTO", "HOST", "PREFIX")
_HEADERS = tuple(f"X_FORWARDED_{field}" for field in _FIELDS)
# Two slashes at its begin would make our own links lead to another host.
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")


class Forwarded(NamedTuple):
    """Where a request came from, and how whoever sent it names the server."""

    address: str
    host: str
    # None where nothing was said of it.
    scheme: str | None = None
    prefix: str = ""


class Proxies:
    """Reads the headers X-Forwarded-* of those that are trusted.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    server.config.InvalidSettings
        If what is trusted is neither an address nor a network.
    """

    def __init__(self, settings: Settings) -> None:
        given = [each.strip() for each in settings.trusted_proxies.split(",") if each.strip()]
        try:
            self._trusted = [ipaddress.ip_network(each) for each in given]
        except ValueError as error:
            raise InvalidSettings(
                f"SEXTANT_TRUSTED_PROXIES: {error}: list addresses and networks, such as "
                "127.0.0.1 or 10.0.0.0/8"
            ) from None
        # A few proxies send all that comes.
        self._trusts = lru_cache(maxsize=256)(self._is_trusted)

    def read(self, address: str, get: Callable[[str], str | None]) -> Forwarded:
        """Return what is known of a request that came from `address`.

        Parameters
        ----------
        address : str
            Of who connected.
        get : callable
            Gives a header by its name as WSGI has it, without HTTP_ before it.
        """
        host = get("HOST") or ""
        if not self._trusted or not self._trusts(address):
            return Forwarded(address, host)
        told = {field: _last(get(header)) for field, header in zip(_FIELDS, _HEADERS, strict=True)}
        scheme = told["PROTO"].lower()
        return Forwarded(
            self._sender(address, (get("X_FORWARDED_FOR") or "").split(",")),
            told["HOST"] or host,
            scheme if scheme in ("http", "https") else None,
            prefix if _PREFIX.fullmatch(prefix := told["PREFIX"].rstrip("/")) else "",
        )

    def _sender(self, address: str, hops: Iterable[str]) -> str:
        """Return the last of the hops that is not one of us: who went before can be made up."""
        for hop in reversed(list(hops)):
            if not self._trusts(address):
                break
            plain = _without_port(hop.strip())
            if not plain:
                break
            address = plain
        return address

    def _is_trusted(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        # So a socket of IPv6 names who connects by IPv4.
        plain = getattr(known, "ipv4_mapped", None) or known
        return any(plain in network for network in self._trusted)


class Behind:
    """WSGI as it would be if whoever asked the proxy had asked us."""

    def __init__(self, app: Any, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Take what is believed of the headers, and all of them away."""
        told = self._proxies.read(
            environ.get("REMOTE_ADDR", ""), lambda name: environ.get(f"HTTP_{name}")
        )
        for header in _HEADERS:
            environ.pop(f"HTTP_{header}", None)
        environ["REMOTE_ADDR"] = told.address
        if told.host:
            environ["HTTP_HOST"] = told.host
        environ["wsgi.url_scheme"] = told.scheme or environ["wsgi.url_scheme"]
        environ["SCRIPT_NAME"] = told.prefix or environ.get("SCRIPT_NAME", "")
        return self._app(environ, start_response)


def _last(header: str | None) -> str:
    return (header or "").rpartition(",")[2].strip()


def _without_port(hop: str) -> str:
    """Return the address of a hop, or nothing where it is none."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(ipaddress.ip_address(hop))
    except ValueError:
        return ""
