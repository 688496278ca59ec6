"""Whose page asks: one of the server's own, or of a site that may, or of any other."""

from collections.abc import Callable
from http import HTTPStatus

from server.access.hosts import Hosts
from server.config import InvalidSettings, Settings

_READING = ("GET", "HEAD", "OPTIONS")
# What a page of another origin may read of an answer, beside what any page may.
_EXPOSED = (
    "Content-Disposition, Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, "
    "Server-Timing, WWW-Authenticate, X-Request-ID, traceresponse"
)


class Denied(Exception):
    """A request that may not be answered: 401 where a key would help, else 403."""

    def __init__(self, detail: str, status: int = HTTPStatus.FORBIDDEN) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status


class Sites:
    """Tells the pages that may ask from those that may not.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    server.config.InvalidSettings
        If what is listed is no origin.
    """

    def __init__(self, settings: Settings) -> None:
        self.hosts = Hosts(settings)
        self.origins = _read_origins(settings.cors_origins)

    def check(
        self, method: str, header: Callable[[str], str | None], host: str, scope: str
    ) -> None:
        """Raise `Denied` if a page of another site asks, or the server is asked by a strange name.

        A browser sends the key it was given by Basic whoever's page has it ask.
        """
        if not self.hosts.allows(host):
            raise Denied(
                f"{host[:100]} is no name of this server: list it in SEXTANT_ALLOWED_HOSTS"
            )
        if not self._is_foreign(header, host):
            return
        # Who follows a link from elsewhere sees what they may; a backup is no page.
        is_opened = method in _READING and header("Sec-Fetch-Dest") == "document"
        if not is_opened or scope == "admin":
            raise Denied(
                "this was asked by a page of another site; "
                "SEXTANT_CORS_ORIGINS lists the sites whose pages may ask"
            )

    def headers_for(self, origin: str | None) -> list[tuple[str, str]]:
        """Return the headers by which a page of `origin`, if it may, reads an answer."""
        if not self.origins:
            return []
        told = [("Vary", "Origin")]
        if origin in self.origins:
            told += [
                ("Access-Control-Allow-Origin", str(origin)),
                ("Access-Control-Expose-Headers", _EXPOSED),
            ]
        return told

    def _is_foreign(self, header: Callable[[str], str | None], host: str) -> bool:
        origin = header("Origin")
        if origin is not None and origin in self.origins:
            return False
        site = header("Sec-Fetch-Site")
        if site is not None:
            return site not in ("none", "same-origin")
        # Older browsers, and any over plain HTTP from another machine.
        return origin is not None and origin.partition("://")[2] != host


def _read_origins(text: str) -> frozenset[str]:
    origins = [each.strip().rstrip("/") for each in text.split(",") if each.strip()]
    for each in origins:
        scheme, _, host = each.partition("://")
        if scheme not in ("http", "https") or not host or "/" in host or "*" in host:
            raise InvalidSettings(
                f"SEXTANT_CORS_ORIGINS: {each!r} is no origin such as https://lab.example.org"
            )
    return frozenset(origins)
