"""Decide who asks, and whether they may: the same for what Flask answers and what it never sees."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from werkzeug.datastructures import Authorization

from server.access.hosts import is_loopback
from server.access.key_ring import KeyRing
from server.access.proxies import Proxies
from server.access.scopes import ANY_KEY, SCOPES, read_scopes
from server.access.sites import Denied, Sites
from server.config import InvalidSettings, Settings


class Caller(NamedTuple):
    """Who asks, and what they may."""

    # Of the key; without one, the address.
    name: str
    scopes: frozenset[str]
    has_key: bool = False
    # Why what was sent is no key.
    fault: str = ""


class Admitted(NamedTuple):
    """A single prediction that may be answered: to whom, and under which prefix of a proxy."""

    caller: Caller
    prefix: str


class Gate:
    """What may pass.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    server.config.InvalidSettings
        If a setting of access is wrong, or the server would be open beyond this machine although
        nobody has said so.
    """

    def __init__(self, settings: Settings) -> None:
        self.sites = Sites(settings)
        self.proxies = Proxies(settings)
        self._ring = KeyRing(settings)
        self.has_keys = len(self._ring) > 0
        self.without_key = read_scopes(settings.open_to_all, "SEXTANT_OPEN_TO_ALL")
        if self.has_keys:
            return
        # Whoever comes through a proxy comes from elsewhere too.
        if is_loopback(settings.host) and not settings.trusted_proxies:
            self.without_key = frozenset(SCOPES)
        elif not self.without_key:
            where = "SEXTANT_HOST" if not is_loopback(settings.host) else "SEXTANT_TRUSTED_PROXIES"
            raise InvalidSettings(
                f"{where}: the server is reached from elsewhere, and there are no keys. "
                "Make one, and give its line to SEXTANT_KEYS or to a file that SEXTANT_KEYS_FILE "
                "names:\n  python -m server key NAME --scopes predict,read\n"
                "Or say what all who reach it may do without one:\n"
                "  SEXTANT_OPEN_TO_ALL=predict,read"
            )

    @property
    def told(self) -> str:
        """Who may ask, in words; nothing where that is everybody for everything."""
        if len(self.without_key) == len(SCOPES):
            return ""
        open_ = ", ".join(each for each in SCOPES if each in self.without_key) or "nothing"
        return f"keys: {len(self._ring)}; open without one: {open_}"

    def caller(self, address: str, sent: str | None) -> Caller:
        """Return who asks from `address` with the key `sent`."""
        if sent is None or not self.has_keys:
            return Caller(address, self.without_key)
        key = self._ring.find(sent)
        if key is None:
            return Caller(address, frozenset(), fault="the key that was sent is not known")
        if time.time() >= key.expires_at:
            return Caller(address, frozenset(), fault=f"the key {key.name} has expired")
        return Caller(key.name, key.scopes, has_key=True)

    def check(self, caller: Caller, scope: str | None) -> None:
        """Raise `Denied` unless `caller` may do what asks for `scope`."""
        if may(caller, scope):
            return
        wanted = "a key" if scope == ANY_KEY else f"a key with the scope {scope}"
        if caller.has_key:
            raise Denied(
                f"the key {caller.name} may do {', '.join(sorted(caller.scopes))}; "
                f"this wants {wanted}"
            )
        if not self.has_keys:
            raise Denied(f"SEXTANT_OPEN_TO_ALL does not name {scope}: this wants {wanted}")
        told = f"{caller.fault}: this" if caller.fault else "this"
        raise Denied(
            f"{told} wants {wanted}, as Authorization: Bearer KEY, or as the password of "
            "HTTP Basic under any name",
            HTTPStatus.UNAUTHORIZED,
        )

    def admit(self, address: str, headers: Mapping[str, str]) -> Admitted | None:
        """Return who asks for a single prediction; None where Flask has to say more.

        Parameters
        ----------
        address : str
            Of who connected.
        headers : mapping
            By their names as Waitress has them; none that only browsers send is among them.
        """
        told = self.proxies.read(address, headers.get)
        if not self.sites.hosts.allows(told.host):
            return None
        sent = headers.get("AUTHORIZATION")
        if sent is not None and self.has_keys:
            if not sent.startswith("Bearer "):
                return None
            sent = sent[7:]
        caller = self.caller(told.address, sent)
        return Admitted(caller, told.prefix) if "predict" in caller.scopes else None

    def counted_to(self, address: str, headers: Mapping[str, str]) -> str:
        """Return whom a request counts to, whatever becomes of it: as `caller` names who asks."""
        address = self.proxies.read(address, headers.get).address
        return self.caller(address, key_in(headers.get("AUTHORIZATION"))).name


def may(caller: Caller, scope: str | None) -> bool:
    """Tell whether `caller` may do what asks for `scope`; what asks for nothing, nobody may."""
    return bool(caller.scopes) if scope == ANY_KEY else scope in caller.scopes


def key_in(authorization: str | None) -> str | None:
    """Return what was sent for a key in that header; None where it is missing."""
    if authorization is None:
        return None
    given = Authorization.from_header(authorization)
    sent = {"basic": given.password, "bearer": given.token}.get(given.type) if given else None
    return sent or ""
